import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { Queue, readQueues } from './queue-view.ts';

const options = needsEitherScope('jobs:read', 'operator', {
  summary: 'Get a queue',
  description:
    "Depth and the longest wait of your tenant's jobs in one queue, and its workers. With the scope `operator` over all tenants.",
  tags: ['catalog'],
  params: Type.Object({ name: Type.String({ description: 'The name of the queue.' }) }),
  querystring: NoParameters,
  response: answers({ 200: { description: 'The queue.', schema: Queue } }, ['queue_not_found']),
});

/** `GET /v1/queues/{name}`: how busy one queue is, as far as it is the caller's to know. */
export const getQueue: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/queues/:name', options, async (request) => {
    const queues = await readQueues(app, request.caller);
    const queue = queues.find(({ name }) => name === request.params.name);
    if (!queue) throw new Problem('queue_not_found');
    return queue;
  });
};
