import { type RawBuilder, sql, type Transaction } from 'kysely';
import { publicId } from '../../core/job/id.ts';
import { type JobStatus, TRANSITIONS } from '../../core/job/status.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { CARRIED, carriedFrom, type LiveJob, lockLiveJob } from './hot-rows.ts';
import { findJob } from './read-jobs.ts';
import type { ShownJob } from './shown-job.ts';

/** When a job is to start: at `runAt`, or else `delayMs` from now; without either, at once. */
export interface Start {
  runAt?: Date;
  delayMs?: number;
}

/**
 * `notWaiting`: the job runs or is finished; `tooLate`: it expires before it could start. Nothing was changed then.
 */
export interface RescheduleResult {
  kind: 'rescheduled' | 'notWaiting' | 'tooLate';
  row: ShownJob;
}

/**
 * Gives a job that waits another time to start at. `undefined` when the tenant has no such job. The row lock decides
 * between this and a claim that comes at the same moment; a dispatch that is under way finds nothing to claim.
 *
 * Attempts, expiry and everything else stay. A job that is to start at the time it has already is left as it is.
 */
export function rescheduleJob(
  db: Database,
  tenantId: string,
  jobId: string,
  start: Start,
): Promise<RescheduleResult | undefined> {
  return asTenant(
    db,
    tenantId,
    async (tx) => {
      const live = await lockLiveJob(tx, tenantId, jobId);
      if (!live) return undefined;
      if ('finished' in live) return { kind: 'notWaiting', row: live.finished };
      const asked = start.runAt
        ? sql<Date>`${start.runAt}::timestamptz`
        : sql<Date>`now() + ${start.delayMs ?? 0} * interval '1 ms'`;
      const row = await readLocked(tx, tenantId, jobId);
      const { isDue, isSame, isTooLate } = await judgeStart(tx, { ...live, tenantId, jobId }, asked);
      const status = statusAfter(row.status, isDue);
      if (!status) return { kind: 'notWaiting', row };
      if (isTooLate) return { kind: 'tooLate', row };
      const isAsAsked = status === row.status && (status === 'queued' || isSame);
      if (isAsAsked) return { kind: 'rescheduled', row };
      await moveToStart(tx, { ...live, tenantId, jobId }, status, asked);
      return { kind: 'rescheduled', row: await readLocked(tx, tenantId, jobId) };
    },
    { keepsPlans: true },
  );
}

type LockedJob = LiveJob & { tenantId: string; jobId: string };

async function readLocked(tx: Transaction<Ledger>, tenantId: string, jobId: string): Promise<ShownJob> {
  const job = await findJob(tx, tenantId, jobId);
  if (!job) throw new Error(`Job ${publicId('job', jobId)} is gone while it is locked.`);
  return job;
}

async function judgeStart(
  tx: Transaction<Ledger>,
  { table, tenantId, jobId }: LockedJob,
  asked: RawBuilder<Date>,
): Promise<{ isDue: boolean; isSame: boolean; isTooLate: boolean }> {
  // What was started once does not expire any more.
  const { rows } = await sql<{ isDue: boolean; isSame: boolean; isTooLate: boolean }>`
    SELECT ${asked} <= now() AS "isDue", ${asked} = run_at AS "isSame",
      attempt = 0 AND ${asked} > now() AND coalesce(${asked} >= expires_at, false) AS "isTooLate"
    FROM ${sql.table(table)} WHERE tenant_id = ${tenantId} AND job_id = ${jobId}`.execute(tx);
  const [judged] = rows;
  if (!judged) throw new Error(`Job ${publicId('job', jobId)} has moved while it is locked.`);
  return judged;
}

/** Another time is another place in an index, so the row moves even where it stays in its table. */
async function moveToStart(
  tx: Transaction<Ledger>,
  { table, tenantId, jobId }: LockedJob,
  status: JobStatus,
  runAt: RawBuilder<Date>,
): Promise<void> {
  const carried = carriedFrom('moved', { run_at: runAt, version: sql`moved.version + 1` });
  const insert =
    status === 'queued'
      ? sql`INSERT INTO ready (${CARRIED}) SELECT ${carried} FROM moved`
      : sql`INSERT INTO due (${CARRIED}, status) SELECT ${carried}, ${status} FROM moved`;
  await sql`
    WITH moved AS (
      DELETE FROM ${sql.table(table)} WHERE tenant_id = ${tenantId} AND job_id = ${jobId}
      RETURNING ${carriedFrom(table)})
    ${insert}`.execute(tx);
}

/** Answers the status that a job waits in from then on; `undefined` when it does not wait now. */
function statusAfter(status: JobStatus, isDue: boolean): JobStatus | undefined {
  const { rescheduled, becameDue } = TRANSITIONS[status];
  if (!rescheduled || !isDue) return rescheduled;
  return becameDue ?? status;
}
