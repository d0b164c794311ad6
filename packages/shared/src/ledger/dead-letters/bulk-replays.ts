import { sql, type Transaction } from 'kysely';
import type { BulkReplayStatus } from '../../core/job/bulk-replay.ts';
import { newUuid, publicId } from '../../core/job/id.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { BulkReplayRow, Ledger } from '../connection/tables.ts';
import { type AuditEntry, writeAuditEntries } from '../tenants/audit-log.ts';
import type { Act } from './dead-letters.ts';
import { type DeadLetterSelection, openSelected, unknownDeadLetters } from './select-dead-letters.ts';

/** What one bulk replay takes at most; writing down the set takes about a second then. */
export const MAX_BULK_REPLAYED = 100_000;

export interface BulkReplayRequest {
  tenantId: string;
  selection: DeadLetterSelection;
  act: Act;
  /** At most this many are replayed a second, over all workers. */
  ratePerSecond?: number;
  /** How many are replayed first; 0 for none. */
  canary: number;
  limit?: number;
}

/** What became of the dead letters of a bulk replay; together they are `matched`. */
export interface BulkReplayCounts {
  pending: number;
  skipped: number;
  /** Replayed, and the job is not finished yet. */
  replayed: number;
  succeeded: number;
  failed: number;
}

/**
 * Writes down a bulk replay with the very dead letters that match now, the oldest first; the workers carry it out.
 * `unknown` has the ids that are no dead letters of this tenant, and then nothing is written.
 */
export function createBulkReplay(
  db: Database,
  request: BulkReplayRequest,
): Promise<{ replay: BulkReplayRow; unknown: [] } | { unknown: string[] }> {
  const { tenantId, selection, act } = request;
  return asTenant(db, tenantId, async (tx) => {
    const unknown = 'ids' in selection ? await unknownDeadLetters(tx, tenantId, selection.ids) : [];
    if (unknown.length > 0) return { unknown };
    const replay = await insertBulkReplay(tx, request);
    const detail = { reason: act.reason, matched: replay.matched };
    await writeAuditEntries(tx, [auditEntry(replay, act.actor, 'bulk_replay.create', detail)]);
    return { replay, unknown: [] };
  });
}

async function insertBulkReplay(tx: Transaction<Ledger>, request: BulkReplayRequest): Promise<BulkReplayRow> {
  const { tenantId, selection, act, ratePerSecond = null, canary, limit = MAX_BULK_REPLAYED } = request;
  const id = newUuid();
  const status: BulkReplayStatus = canary > 0 ? 'canary' : 'running';
  const { rows } = await sql<BulkReplayRow>`
    WITH found AS MATERIALIZED (${openSelected(tenantId, selection, limit + 1)}),
    items AS (
      INSERT INTO bulk_replay_items (bulk_replay_id, dead_letter_id, tenant_id)
      SELECT ${id}::uuid, id, ${tenantId}::uuid FROM (SELECT id FROM found ORDER BY id LIMIT ${limit}) AS taken
      RETURNING dead_letter_id)
    INSERT INTO bulk_replays (id, tenant_id, actor, reason, selection, rate_per_second, canary, status, matched, limited)
    SELECT ${id}::uuid, ${tenantId}::uuid, ${act.actor}, ${act.reason}, ${JSON.stringify(selection)}::jsonb,
      ${ratePerSecond}::float8, ${canary}, ${status}, (SELECT count(*) FROM items),
      (SELECT count(*) FROM found) > ${limit}
    RETURNING *`.execute(tx);
  const [replay] = rows;
  if (!replay) throw new Error('The bulk replay was not written');
  return replay;
}

/** Tells what a bulk replay would take: how many, and the ids of the first few. */
export function previewBulkReplay(
  db: Database,
  request: Pick<BulkReplayRequest, 'tenantId' | 'selection' | 'limit'> & { sampleSize: number },
): Promise<{ matched: number; limited: boolean; sample: string[]; unknown: string[] }> {
  const { tenantId, selection, limit = MAX_BULK_REPLAYED, sampleSize } = request;
  return asTenant(db, tenantId, async (tx) => {
    const unknown = 'ids' in selection ? await unknownDeadLetters(tx, tenantId, selection.ids) : [];
    const { rows } = await openSelected(tenantId, selection, limit + 1).execute(tx);
    const sample = rows.slice(0, sampleSize).map(({ id }) => id);
    return { matched: Math.min(rows.length, limit), limited: rows.length > limit, sample, unknown };
  });
}

/** Finds a bulk replay of this tenant with what became of its dead letters so far. */
export function findBulkReplay(
  db: Database,
  tenantId: string,
  id: string,
): Promise<{ replay: BulkReplayRow; counts: BulkReplayCounts } | undefined> {
  return asTenant(db, tenantId, async (tx) => {
    const replays = tx.selectFrom('bulk_replays').selectAll().where('tenant_id', '=', tenantId);
    const replay = await replays.where('id', '=', id).executeTakeFirst();
    return replay && { replay, counts: await countItems(tx, id) };
  });
}

async function countItems(tx: Transaction<Ledger>, id: string): Promise<BulkReplayCounts> {
  const rows = await tx
    .selectFrom('bulk_replay_items')
    .select(({ fn }) => ['state', fn.countAll<string>().as('count')])
    .where('bulk_replay_id', '=', id)
    .groupBy('state')
    .execute();
  const counts: BulkReplayCounts = { pending: 0, skipped: 0, replayed: 0, succeeded: 0, failed: 0 };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}

/**
 * Stops a bulk replay of this tenant for good: what is pending is not replayed any more. Answers `false` when it had
 * ended already, and `undefined` when the tenant has no such bulk replay.
 */
export function cancelBulkReplay(
  db: Database,
  { tenantId, id, act }: { tenantId: string; id: string; act: Act },
): Promise<boolean | undefined> {
  return asTenant(db, tenantId, async (tx) => {
    const replays = tx.selectFrom('bulk_replays').selectAll().where('tenant_id', '=', tenantId);
    const replay = await replays.where('id', '=', id).forUpdate().executeTakeFirst();
    if (!replay) return undefined;
    if (replay.status !== 'canary' && replay.status !== 'running') return false;
    await tx.updateTable('bulk_replays').set({ status: 'canceled' }).where('id', '=', id).execute();
    await writeAuditEntries(tx, [
      auditEntry(replay, act.actor, 'bulk_replay.cancel', { reason: act.reason }),
    ]);
    return true;
  });
}

/** Makes the audit entry of something that was done to a bulk replay. */
export function auditEntry(
  replay: BulkReplayRow,
  actor: string,
  action: AuditEntry['action'],
  detail: AuditEntry['detail'],
): AuditEntry {
  return { tenantId: replay.tenant_id, actor, action, target: publicId('bulkReplay', replay.id), detail };
}
