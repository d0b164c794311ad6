import { type RawBuilder, sql } from 'kysely';
import { isTerminal, statusesBefore } from '../../core/job/status.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import { insertDeliveries } from '../webhooks/insert-deliveries.ts';
import { SHOWN_COLUMNS, type ShownJob } from './shown-job.ts';
import { listed } from './status-condition.ts';

export type CancelResult =
  | { kind: 'canceled'; row: ShownJob }
  | { kind: 'requested'; row: ShownJob }
  | { kind: 'alreadyFinished'; row: ShownJob };

/**
 * Cancels a job that is not running at once; asks the worker of a running one to stop it. `undefined` when the
 * tenant has no such job. The row lock decides between this and a claim that comes at the same moment.
 */
export function cancelJob(db: Database, tenantId: string, jobId: string): Promise<CancelResult | undefined> {
  return asTenant(db, tenantId, async (tx) => {
    const job = await tx
      .selectFrom('jobs')
      .select(SHOWN_COLUMNS)
      .where('id', '=', jobId)
      .where('tenant_id', '=', tenantId)
      .forUpdate()
      .executeTakeFirst();
    if (!job) return undefined;
    if (isTerminal(job.status)) return { kind: 'alreadyFinished', row: job };
    if (job.status === 'running') return { kind: 'requested', row: await requestCancel(tx, job) };
    const row = await tx
      .updateTable('jobs')
      .set((eb) => ({
        status: 'canceled',
        cancel_requested_at: sql<Date>`now()`,
        finished_at: sql<Date>`now()`,
        dispatched_at: null,
        version: eb('version', '+', 1),
      }))
      .where('id', '=', jobId)
      .returning(SHOWN_COLUMNS)
      .executeTakeFirstOrThrow();
    if (row.webhook) await insertDeliveries(tx, [row.id]);
    return { kind: 'canceled', row };
  });
}

async function requestCancel(db: Database, job: ShownJob): Promise<ShownJob> {
  if (job.cancel_requested_at) return job;
  return db
    .updateTable('jobs')
    .set((eb) => ({ cancel_requested_at: sql<Date>`now()`, version: eb('version', '+', 1) }))
    .where('id', '=', job.id)
    .returning(SHOWN_COLUMNS)
    .executeTakeFirstOrThrow();
}

const IS_OVERDUE = sql<boolean>`
  expires_at <= now() AND attempt = 0 AND status IN ${listed(statusesBefore('expired'))}`;

/** Ends jobs that nobody started before their `expires_at`, all of them or none; answers their ids. */
export function expireJobs(db: Database, limit: number): Promise<string[]> {
  return expire(db, sql`SELECT id FROM jobs WHERE ${IS_OVERDUE} LIMIT ${limit} FOR UPDATE SKIP LOCKED`);
}

/** Ends one job if it is overdue; answers whether it was. */
export async function expireJob(db: Database, jobId: string): Promise<boolean> {
  const overdue = sql`SELECT id FROM jobs WHERE id = ${jobId} AND ${IS_OVERDUE} FOR UPDATE SKIP LOCKED`;
  return (await expire(db, overdue)).length > 0;
}

/** Lists jobs that nobody started before their `expires_at`. */
export async function listOverdueJobs(db: Database, limit: number): Promise<string[]> {
  const rows = await db.selectFrom('jobs').select('id').where(IS_OVERDUE).limit(limit).execute();
  return rows.map((row) => row.id);
}

function expire(db: Database, overdue: RawBuilder<unknown>): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: string; hasWebhook: boolean }>`
      UPDATE jobs SET status = 'expired', finished_at = now(), dispatched_at = NULL, version = version + 1
      WHERE id IN (${overdue})
      RETURNING id, webhook IS NOT NULL AS "hasWebhook"`.execute(tx);
    await insertDeliveries(
      tx,
      rows.filter((row) => row.hasWebhook).map((row) => row.id),
    );
    return rows.map((row) => row.id);
  });
}
