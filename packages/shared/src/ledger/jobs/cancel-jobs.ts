import { type RawBuilder, sql, type Transaction } from 'kysely';
import { publicId } from '../../core/job/id.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { endWaiting } from './end-waiting.ts';
import { lockLiveJob } from './hot-rows.ts';
import { HOT_TABLES, type HotTable } from './hot-tables.ts';
import type { JobKey } from './job-key.ts';
import { findJob } from './read-jobs.ts';
import type { ShownJob } from './shown-job.ts';

export type CancelResult =
  | { kind: 'canceled'; row: ShownJob }
  | { kind: 'requested'; row: ShownJob }
  | { kind: 'alreadyFinished'; row: ShownJob };

/**
 * Cancels a job that is not running at once; asks the worker of a running one to stop it. `undefined` when the
 * tenant has no such job. The row lock decides between this and a claim that comes at the same moment.
 */
export function cancelJob(db: Database, tenantId: string, jobId: string): Promise<CancelResult | undefined> {
  return asTenant(
    db,
    tenantId,
    async (tx): Promise<CancelResult | undefined> => {
      const live = await lockLiveJob(tx, tenantId, jobId);
      if (!live) return undefined;
      if ('finished' in live) return { kind: 'alreadyFinished', row: live.finished };
      if (live.isRunning) await requestCancel(tx, tenantId, jobId);
      else await endWaiting(tx, live.table, isThis(tenantId, jobId), 'canceled');
      const row = await findJob(tx, tenantId, jobId);
      if (!row) throw new Error(`Job ${publicId('job', jobId)} is gone while it is locked.`);
      return { kind: live.isRunning ? 'requested' : 'canceled', row };
    },
    { keepsPlans: true },
  );
}

function isThis(tenantId: string, jobId: string): RawBuilder<unknown> {
  return sql`tenant_id = ${tenantId} AND job_id = ${jobId}`;
}

async function requestCancel(tx: Transaction<Ledger>, tenantId: string, jobId: string): Promise<void> {
  await sql`
    UPDATE in_flight SET cancel_requested_at = now(), version = version + 1
    WHERE ${isThis(tenantId, jobId)} AND cancel_requested_at IS NULL`.execute(tx);
}

const IS_OVERDUE = sql`expires_at <= now() AND attempt = 0`;

/** Ends jobs that nobody started before their `expires_at`, up to `limit` in each table, all of them or none; answers their ids. */
export async function expireJobs(db: Database, limit: number): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const ids: string[] = [];
    for (const table of HOT_TABLES) ids.push(...(await expireIn(tx, table, limit)));
    return ids;
  });
}

async function expireIn(tx: Transaction<Ledger>, table: HotTable, limit: number): Promise<string[]> {
  const overdue = sql`
    SELECT ctid FROM ${sql.table(table)} WHERE ${IS_OVERDUE}
    ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED`;
  return await endWaiting(tx, table, sql`ctid = ANY (ARRAY(${overdue})) AND ${IS_OVERDUE}`, 'expired');
}

/** Ends one job if it is overdue; answers whether it was. */
export async function expireJob(db: Database, { tenantId, id }: JobKey): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    for (const table of HOT_TABLES) {
      const ended = await endWaiting(tx, table, sql`${isThis(tenantId, id)} AND ${IS_OVERDUE}`, 'expired');
      if (ended.length > 0) return true;
    }
    return false;
  });
}

/** Lists jobs that nobody started before their `expires_at`. */
export async function listOverdueJobs(db: Database, limit: number): Promise<JobKey[]> {
  const found: JobKey[] = [];
  for (const table of HOT_TABLES) {
    const { rows } = await sql<JobKey>`
      SELECT tenant_id AS "tenantId", job_id AS id FROM ${sql.table(table)}
      WHERE ${IS_OVERDUE} ORDER BY expires_at LIMIT ${limit}`.execute(db);
    found.push(...rows);
  }
  return found;
}
