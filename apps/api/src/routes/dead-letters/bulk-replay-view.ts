import { BULK_REPLAY_STATUSES } from '@accepted/shared/core/job/bulk-replay';
import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import type { BulkReplayRow } from '@accepted/shared/ledger/connection/tables';
import type { BulkReplayCounts } from '@accepted/shared/ledger/dead-letters/bulk-replays';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { oneOf } from '../../schemas/one-of.ts';
import { link, orNull, time } from '../../schemas/shared-schemas.ts';

export const BulkReplayIdParameter = Type.Object({
  id: Type.String({ description: 'The id of a bulk replay: `rep_…`.' }),
});

export const BulkReplay = Type.Object(
  {
    id: Type.String({ description: 'The id of the bulk replay, `rep_…`.' }),
    status: oneOf(BULK_REPLAY_STATUSES, {
      description:
        '`canary` until the canaries have succeeded, then `running`; `completed` when every replayed job is finished; `stopped` when a canary did not succeed.',
    }),
    matched: Type.Integer({ description: 'The dead letters that matched when it was asked for.' }),
    limited: Type.Boolean({ description: 'Whether others matched that were too many for one bulk replay.' }),
    pending: Type.Integer({ description: 'Not replayed yet.' }),
    skipped: Type.Integer({ description: 'Resolved by somebody else before their turn.' }),
    replayed: Type.Integer({ description: 'Jobs that were put back to `queued`.' }),
    succeeded: Type.Integer({ description: 'Replayed jobs that have succeeded.' }),
    failed: Type.Integer({ description: 'Replayed jobs that ended otherwise.' }),
    canary: Type.Integer({ description: 'How many are replayed first.' }),
    ratePerSecond: orNull(
      Type.Number({ description: 'How many are replayed in a second, over all workers.' }),
    ),
    requestedBy: Type.String({ description: 'The id of an API key.' }),
    reason: Type.String({ description: 'The reason that was given.' }),
    createdAt: time('When it was asked for.'),
    finishedAt: orNull(time('When it ended.')),
    links: Type.Object(
      { self: link('The bulk replay.'), cancel: link('Where to `POST` to cancel it.') },
      { description: 'Paths of the bulk replay.' },
    ),
  },
  { title: 'BulkReplay', additionalProperties: false, description: 'A replay of many dead letters.' },
);

/** Shows a bulk replay and how far it has come. */
export function bulkReplayView(replay: BulkReplayRow, counts: BulkReplayCounts) {
  const id = publicId('bulkReplay', replay.id);
  const self = `/v1/bulk-replays/${id}`;
  const { pending, skipped, succeeded, failed } = counts;
  return {
    id,
    status: replay.status,
    matched: replay.matched,
    limited: replay.limited,
    pending,
    skipped,
    replayed: counts.replayed + succeeded + failed,
    succeeded,
    failed,
    canary: replay.canary,
    ratePerSecond: replay.rate_per_second,
    requestedBy: replay.actor,
    reason: replay.reason,
    createdAt: replay.created_at.toISOString(),
    finishedAt: replay.finished_at?.toISOString() ?? null,
    links: { self, cancel: `${self}/cancel` },
  };
}

/** Names the bulk replay of a request for the ledger; an id of another form answers 404. */
export function requestedBulkReplay(request: FastifyRequest<{ Params: { id: string } }>): {
  tenantId: string;
  id: string;
} {
  const id = parsePublicId('bulkReplay', request.params.id);
  if (!id) throw bulkReplayNotFound();
  return { tenantId: request.caller.tenantId, id };
}

export function bulkReplayNotFound(): Problem {
  return new Problem('bulk_replay_not_found');
}
