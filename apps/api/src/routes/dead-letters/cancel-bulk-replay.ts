import type { BulkReplayStatus } from '@accepted/shared/core/job/bulk-replay';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  cancelBulkReplay as cancelInLedger,
  findBulkReplay,
} from '@accepted/shared/ledger/dead-letters/bulk-replays';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { actOnce } from '../../http/act-once.ts';
import { Problem } from '../../http/problem.ts';
import { answersOnce, BODY_PROBLEMS, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON } from '../../schemas/reason.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import {
  BulkReplay,
  BulkReplayIdParameter,
  bulkReplayNotFound,
  bulkReplayView,
  requestedBulkReplay,
} from './bulk-replay-view.ts';

const options = needsScope('dead-letters', {
  summary: 'Cancel a bulk replay',
  description: 'What is pending is not replayed any more; jobs that were replayed go on.',
  tags: ['dead-letters'],
  params: BulkReplayIdParameter,
  headers: KeyHeader,
  querystring: NoParameters,
  response: answersOnce({ 200: { description: 'It is canceled.', schema: BulkReplay } }, [
    ...BODY_PROBLEMS,
    'bulk_replay_not_found',
    'bulk_replay_already_ended',
  ]),
});

/** `POST /v1/bulk-replays/{id}/cancel`: ends a bulk replay where it stands. */
export const cancelBulkReplay: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/bulk-replays/:id/cancel', options, async (request, reply) => {
    const { tenantId, id } = requestedBulkReplay(request);
    const byWhom = { actor: request.caller.keyId, reason: NO_REASON };
    const find = async (db: Database) => {
      const found = await findBulkReplay(db, tenantId, id);
      if (!found) throw bulkReplayNotFound();
      return found;
    };
    const { made } = await actOnce(request, reply, {
      async act(tx) {
        const isCanceled = await cancelInLedger(tx, { tenantId, id, act: byWhom });
        const made = await find(tx);
        if (!isCanceled) throw alreadyEnded(made.replay.status);
        return { status: 200, made };
      },
      keep: () => id,
      recall: () => find(app.db),
    });
    return bulkReplayView(made.replay, made.counts);
  });
};

function alreadyEnded(replayStatus: BulkReplayStatus): Problem {
  return new Problem('bulk_replay_already_ended', { members: { replayStatus } });
}
