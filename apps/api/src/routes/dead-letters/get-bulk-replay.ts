import { findBulkReplay } from '@accepted/shared/ledger/dead-letters/bulk-replays';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import {
  BulkReplay,
  BulkReplayIdParameter,
  bulkReplayNotFound,
  bulkReplayView,
  requestedBulkReplay,
} from './bulk-replay-view.ts';

const options = needsScope('dead-letters', {
  summary: 'Get a bulk replay',
  tags: ['dead-letters'],
  params: BulkReplayIdParameter,
  querystring: NoParameters,
  response: answers(
    { 200: { description: 'The bulk replay and how far it has come.', schema: BulkReplay } },
    ['bulk_replay_not_found'],
  ),
});

/** `GET /v1/bulk-replays/{id}`: how far a bulk replay has come. */
export const getBulkReplay: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/bulk-replays/:id', options, async (request) => {
    const { tenantId, id } = requestedBulkReplay(request);
    const found = await findBulkReplay(app.db, tenantId, id);
    if (!found) throw bulkReplayNotFound();
    return bulkReplayView(found.replay, found.counts);
  });
};
