import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { Queue, queueView } from './queue-view.ts';

const options = needsScope('jobs:read', {
  summary: 'Get a queue',
  description: 'Depth, the longest wait, rates and workers of one queue, over all tenants.',
  tags: ['catalog'],
  params: Type.Object({ name: Type.String({ description: 'The name of the queue.' }) }),
  querystring: NoParameters,
  response: answers({ 200: { description: 'The queue.', schema: Queue } }, ['queue_not_found']),
});

/** `GET /v1/queues/{name}`: how busy one queue is. */
export const getQueue: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/queues/:name', options, async (request) => {
    const queues = await app.readQueueStatistics();
    const queue = queues.find(({ name }) => name === request.params.name);
    if (!queue) throw new Problem('queue_not_found');
    return queueView(queue);
  });
};
