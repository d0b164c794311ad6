import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';

const options = needsScope('metrics', {
  summary: 'Metrics of all tenants',
  description:
    'OpenMetrics 1.0 text. Every API process shows the same numbers, but for `accepted_pool_…`, `accepted_writing_…` and `accepted_prediction_…`, which are its own.',
  tags: ['operations'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'The metrics.', mediaType: 'application/openmetrics-text' } }, []),
});

/** `GET /metrics`: numbers for Prometheus, which sends an API key with the scope `metrics`. */
export const getMetrics: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/metrics', { ...options, logLevel: 'warn' }, async (_request, reply) => {
    const { contentType, text } = await app.writeMetrics();
    return reply.type(contentType).header('cache-control', 'no-store').send(text);
  });
};
