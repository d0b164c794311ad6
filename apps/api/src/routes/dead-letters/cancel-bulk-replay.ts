import { cancelBulkReplay as cancelInLedger, findBulkReplay } from '@accepted/shared/database/bulk-replays';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Problem } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import {
  BulkReplay,
  BulkReplayIdParameter,
  bulkReplayNotFound,
  bulkReplayView,
  requestedBulkReplay,
} from './bulk-replay-view.ts';
import { NO_REASON } from './dead-letter-parameters.ts';

const options = needsScope('dead-letters', {
  summary: 'Cancel a bulk replay',
  description: 'What is pending is not replayed any more; jobs that were replayed go on.',
  tags: ['dead-letters'],
  params: BulkReplayIdParameter,
  querystring: NoParameters,
  response: answers({ 200: { description: 'It is canceled.', schema: BulkReplay } }, [
    'bulk_replay_not_found',
    'bulk_replay_already_ended',
  ]),
});

/** `POST /v1/bulk-replays/{id}/cancel`: ends a bulk replay where it stands. */
export const cancelBulkReplay: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/bulk-replays/:id/cancel', options, async (request) => {
    const { tenantId, id } = requestedBulkReplay(request);
    const act = { actor: request.caller.keyId, reason: NO_REASON };
    const isCanceled = await cancelInLedger(app.db, { tenantId, id, act });
    const found = isCanceled === undefined ? undefined : await findBulkReplay(app.db, tenantId, id);
    if (!found) throw bulkReplayNotFound();
    if (!isCanceled) {
      throw new Problem('bulk_replay_already_ended', { members: { replayStatus: found.replay.status } });
    }
    return bulkReplayView(found.replay, found.counts);
  });
};
