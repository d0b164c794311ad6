import { sql } from 'kysely';
import { type JobStatus, TRANSITIONS } from '../../core/job/status.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
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
    const asked = start.runAt
      ? sql<Date>`${start.runAt}::timestamptz`
      : sql<Date>`now() + ${start.delayMs ?? 0} * interval '1 ms'`;
    const found = await tx
      .selectFrom('jobs')
      .select([
        ...SHOWN_COLUMNS,
        sql<boolean>`${asked} <= now()`.as('isDue'),
        sql<boolean>`${asked} = run_at`.as('isSame'),
        // What was started once does not expire any more.
        sql<boolean>`attempt = 0 AND ${asked} > now() AND coalesce(${asked} >= expires_at, false)`.as(
          'isTooLate',
        ),
      ])
      .where('id', '=', jobId)
      .where('tenant_id', '=', tenantId)
      .forUpdate()
      .executeTakeFirst();
    if (!found) return undefined;
    const { isDue, isSame, isTooLate, ...job } = found;
    const status = statusAfter(job.status, isDue);
    if (!status) return { kind: 'notWaiting', row: job };
    if (isTooLate) return { kind: 'tooLate', row: job };
    const isAsAsked = status === job.status && (status === 'queued' || isSame);
    if (isAsAsked) return { kind: 'rescheduled', row: job };
    const row = await tx
      .updateTable('jobs')
      .set((eb) => ({ status, run_at: asked, dispatched_at: null, version: eb('version', '+', 1) }))
      .where('id', '=', jobId)
      .returning(SHOWN_COLUMNS)
      .executeTakeFirstOrThrow();
    return { kind: 'rescheduled', row };
  });
}

/** Answers the status that a job waits in from then on; `undefined` when it does not wait now. */
function statusAfter(status: JobStatus, isDue: boolean): JobStatus | undefined {
  const { rescheduled, becameDue } = TRANSITIONS[status];
  if (!rescheduled || !isDue) return rescheduled;
  return becameDue ?? status;
}
