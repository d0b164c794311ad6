import { type RawBuilder, sql } from 'kysely';
import { DEFAULT_BACKOFF } from '../../core/job/backoff.ts';
import type { ClaimedJob } from '../../core/job/claimed-job.ts';
import type { AttemptedJob } from '../../core/job/decide-outcome.ts';
import type { Database } from '../connection/connect.ts';
import { isJobAt } from '../connection/unnest.ts';
import { countRunning } from '../workers/workers.ts';
import type { EndedAttempt } from './record-outcomes.ts';

/** What the outcome of a running job depends on, and what it takes to write it down. */
type AttemptedRow = AttemptedJob & EndedAttempt['job'] & Pick<ClaimedJob, 'queue'>;

/** A running job whose worker is gone. */
export interface OrphanedJob extends AttemptedRow {
  /** How often its worker was lost before without that counting. */
  losses: number;
  /** How many jobs its worker ran when its lease ended; `null` when nobody knows that worker any more. */
  runningWhenLost: number | null;
}

/** A running job as its own worker checks it. */
export interface OwnJob extends AttemptedRow {
  cancelRequestedAt: Date | null;
}

/**
 * Lists running jobs whose worker has lost its lease or is no longer known. How many it ran is what was written down
 * when its lease ended; where somebody ended it without, such as an older build, it is counted now.
 */
export function listOrphanedJobs(db: Database, limit: number): Promise<OrphanedJob[]> {
  return listRunning<OrphanedJob>(
    db,
    sql`
      SELECT in_flight.*, CASE WHEN workers.id IS NOT NULL
        THEN coalesce(workers.running_when_lost, ${countRunning}::int) END AS running_when_lost
      FROM in_flight LEFT JOIN workers ON workers.id = in_flight.worker_id
      WHERE in_flight.worker_id IS NOT NULL AND (workers.id IS NULL OR workers.lost_at IS NOT NULL)
      ORDER BY in_flight.job_id LIMIT ${limit}`,
    sql`found.losses, found.running_when_lost AS "runningWhenLost"`,
  );
}

/** Lists what runs in this worker's name, as far as the ledger knows. */
export function listOwnJobs(db: Database, workerId: string): Promise<OwnJob[]> {
  return listRunning<OwnJob>(
    db,
    sql`SELECT * FROM in_flight WHERE worker_id = ${workerId} ORDER BY job_id`,
    sql`found.cancel_requested_at AS "cancelRequestedAt"`,
  );
}

/** `found` asks in the order of the key: so it is read through an index where scans are disabled, and it is never long. */
async function listRunning<Job extends AttemptedRow>(
  db: Database,
  found: RawBuilder<unknown>,
  more: RawBuilder<unknown>,
): Promise<Job[]> {
  const { rows } = await sql<Job>`
    WITH found AS MATERIALIZED (${found})
    SELECT found.job_id AS id, found.type, found.queue, found.attempt, found.attempts_made AS "attemptsMade",
      jobs.max_attempts AS "maxAttempts", jobs.backoff, found.suspect, found.has_followers AS "hasFollowers", ${more}
    FROM found JOIN jobs ON ${isJobAt('jobs', 'found')}`.execute(db);
  return rows.map((row) => ({ ...row, backoff: row.backoff ?? DEFAULT_BACKOFF }));
}
