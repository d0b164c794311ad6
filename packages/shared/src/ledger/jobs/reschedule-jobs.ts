import { type RawBuilder, sql, type Transaction } from 'kysely';
import { type JobStatus, TRANSITIONS } from '../../core/job/status.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { CARRIED, carriedFrom, type LiveJob, lockLiveJob } from './hot-rows.ts';
import { findJob } from './read-jobs.ts';
import { SHOWN_COLUMNS, type ShownJob } from './shown-job.ts';

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
  return asTenant(db, tenantId, async (tx) => {
    const live = await lockLiveJob(tx, tenantId, jobId);
    if (!live) return undefined;
    if ('finished' in live) return { kind: 'notWaiting', row: live.finished };
    const asked = start.runAt
      ? sql<Date>`${start.runAt}::timestamptz`
      : sql<Date>`now() + ${start.delayMs ?? 0} * interval '1 ms'`;
    const { isDue, isSame, isTooLate, ...row } = await readForStart(tx, tenantId, jobId, asked);
    const status = statusAfter(row.status, isDue);
    if (!status) return { kind: 'notWaiting', row };
    if (isTooLate) return { kind: 'tooLate', row };
    const isAsAsked = status === row.status && (status === 'queued' || isSame);
    if (isAsAsked) return { kind: 'rescheduled', row };
    await moveToStart(tx, { ...live, tenantId, jobId }, status, asked);
    const job = await findJob(tx, tenantId, jobId);
    return { kind: 'rescheduled', row: job ?? row };
  });
}

function readForStart(tx: Transaction<Ledger>, tenantId: string, jobId: string, asked: RawBuilder<Date>) {
  return tx
    .selectFrom('current_jobs')
    .select([
      ...SHOWN_COLUMNS,
      sql<boolean>`${asked} <= now()`.as('isDue'),
      sql<boolean>`${asked} = run_at`.as('isSame'),
      // What was started once does not expire any more.
      sql<boolean>`attempt = 0 AND ${asked} > now() AND coalesce(${asked} >= expires_at, false)`.as(
        'isTooLate',
      ),
    ])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow();
}

/** Another time is another place in an index, so the row moves even where it stays in its table. */
async function moveToStart(
  tx: Transaction<Ledger>,
  { table, tenantId, jobId }: LiveJob & { tenantId: string; jobId: string },
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
