import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { wholePage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { Queue, queueView } from './queue-view.ts';

const options = needsScope('jobs:read', {
  summary: 'List the queues',
  description: 'Depth, the longest wait, rates and workers of every queue, over all tenants.',
  tags: ['catalog'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'All queues.', schema: pageOf(Queue) } }, []),
});

/** `GET /v1/queues`: how busy the queues are. */
export const listQueues: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/queues', options, async () => wholePage((await app.readQueueStatistics()).map(queueView)));
};
