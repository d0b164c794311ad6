import { sql, type Transaction } from 'kysely';
import { publicId } from '../../core/job/id.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { DeadLetterRow, Ledger } from '../connection/tables.ts';
import { findJob } from '../jobs/read-jobs.ts';
import { type Act, putJobsBack, resolveDeadLetters } from './dead-letters.ts';
import { type DeadLetterSelection, openSelected, unknownDeadLetters } from './select-dead-letters.ts';

/** What a replay changes of the job; a `concurrencyKey` that is left out stays as it is. */
export interface PayloadEdit {
  payloadJson: string;
  /** Ids of the payload schemas that refuse the new payload; what refused the old one counts no more. */
  refusedBy: string[];
  concurrencyKey?: string | null;
}

export type ReplayResult =
  | { kind: 'replayed'; jobId: string; queue: string }
  | { kind: 'alreadyResolved'; resolution: 'replayed' | 'discarded' }
  | { kind: 'jobGone' };

/**
 * Replays a dead letter of this tenant, with another payload if one is given: the old one is kept. `undefined` when
 * the tenant has no such dead letter. The row lock decides between two who replay it at the same moment.
 */
export function replayTenantsDeadLetter(
  db: Database,
  request: { tenantId: string; id: string; act: Act; edit?: PayloadEdit },
): Promise<ReplayResult | undefined> {
  const { tenantId, id, act, edit } = request;
  return asTenant(
    db,
    tenantId,
    async (tx) => {
      const letter = await lockDeadLetter(tx, tenantId, id);
      if (!letter) return undefined;
      if (letter.resolution) return { kind: 'alreadyResolved', resolution: letter.resolution };
      const job = await findJob(tx, tenantId, letter.job_id);
      if (job?.status !== 'failed') return { kind: 'jobGone' };
      const revision = edit && (await revisePayload(tx, letter, edit, act.actor));
      const edited = edit ? { payloadEdited: true } : {};
      await resolveDeadLetters(tx, [id], 'replayed', { ...act, detail: { ...act.detail, ...edited } });
      const [putBack] = await putJobsBack(tx, [id], revision);
      if (!putBack)
        throw new Error(`Dead letter ${publicId('deadLetter', id)} is not that of its job's end.`);
      return { kind: 'replayed', jobId: job.id, queue: putBack.queue };
    },
    { keepsPlans: true },
  );
}

function lockDeadLetter(
  tx: Transaction<Ledger>,
  tenantId: string,
  id: string,
): Promise<DeadLetterRow | undefined> {
  return tx
    .selectFrom('dead_letters')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

/** Writes the payload that a replay brings, and answers the number of that revision. The letter's lock keeps others out. */
async function revisePayload(
  tx: Transaction<Ledger>,
  letter: DeadLetterRow,
  edit: PayloadEdit,
  actor: string,
): Promise<number> {
  const key = edit.concurrencyKey === undefined ? sql`concurrency_key` : sql`${edit.concurrencyKey}`;
  const { rows } = await sql<{ revision: number }>`
    INSERT INTO payload_revisions (job_id, revision, tenant_id, dead_letter_id, payload, refused_by, concurrency_key, actor)
    SELECT id, (SELECT coalesce(max(revision), 0) + 1 FROM payload_revisions WHERE job_id = current_jobs.id), tenant_id,
      ${letter.id}, ${edit.payloadJson}::json, ${edit.refusedBy}::text[], ${key}, ${actor}
    FROM current_jobs WHERE tenant_id = ${letter.tenant_id} AND id = ${letter.job_id}
    RETURNING revision`.execute(tx);
  const [row] = rows;
  if (!row) throw new Error('The job of a dead letter is gone while it is looked at.');
  return row.revision;
}

/** Discards a dead letter of this tenant. `undefined` when the tenant has no such dead letter. */
export function discardTenantsDeadLetter(
  db: Database,
  { tenantId, id, act }: { tenantId: string; id: string; act: Act },
): Promise<{ kind: 'discarded' } | { kind: 'alreadyResolved'; resolution: string } | undefined> {
  return asTenant(db, tenantId, async (tx) => {
    const letter = await lockDeadLetter(tx, tenantId, id);
    if (!letter) return undefined;
    if (letter.resolution) return { kind: 'alreadyResolved', resolution: letter.resolution };
    await resolveDeadLetters(tx, [id], 'discarded', act);
    return { kind: 'discarded' };
  });
}

/** At most this many are discarded in one transaction: enough for most, and quick enough for a request. */
export const MAX_DISCARDED = 10_000;

/**
 * Discards the open dead letters that are meant, the oldest first, at most `limit`; `hasMore` tells that others are
 * left. All or nothing: `unknown` has the ids that are not this tenant's, and then none was discarded.
 */
export function discardSelected(
  db: Database,
  request: { tenantId: string; selection: DeadLetterSelection; act: Act; limit?: number },
): Promise<{ discarded: number; hasMore: boolean; unknown: string[] }> {
  const { tenantId, selection, act, limit = MAX_DISCARDED } = request;
  return asTenant(db, tenantId, async (tx) => {
    const unknown = 'ids' in selection ? await unknownDeadLetters(tx, tenantId, selection.ids) : [];
    if (unknown.length > 0) return { discarded: 0, hasMore: false, unknown };
    const { rows } = await openSelected(tenantId, selection, limit + 1).execute(tx);
    const ids = rows.slice(0, limit).map(({ id }) => id);
    const discarded = await resolveDeadLetters(tx, ids, 'discarded', act);
    return { discarded: discarded.length, hasMore: rows.length > limit, unknown };
  });
}
