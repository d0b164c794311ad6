import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { wholePage } from '../../http/page.ts';
import { answers, needsEitherScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { pageOf } from '../../schemas/shared-schemas.ts';
import { Queue, readQueues } from './queue-view.ts';

const options = needsEitherScope('jobs:read', 'operator', {
  summary: 'List the queues',
  description:
    "Depth and the longest wait of your tenant's jobs in every queue, and its workers. With the scope `operator` over all tenants.",
  tags: ['catalog'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'All queues.', schema: pageOf(Queue) } }, []),
});

/** `GET /v1/queues`: how busy the queues are, as far as it is the caller's to know. */
export const listQueues: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/queues', options, async ({ caller }) => wholePage(await readQueues(app, caller)));
};
