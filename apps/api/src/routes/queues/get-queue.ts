import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { QueueDetails, QueueParameter, readQueue } from './queue-view.ts';

const options = needsEitherScope('jobs:read', 'operator', {
  summary: 'Get a queue',
  description:
    "Depth and the longest wait of your tenant's jobs in one queue, its workers, and what operators have laid down for it. With the scope `operator` over all tenants.",
  tags: ['catalog'],
  params: QueueParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'The queue.', schema: QueueDetails } }, ['queue_not_found']),
});

/** `GET /v1/queues/{name}`: how busy one queue is, as far as it is the caller's to know. */
export const getQueue: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/queues/:name', options, ({ caller, params }) => readQueue(app, caller, params.name));
};
