import { sql } from 'kysely';
import type { Backoff } from '../../core/job/backoff.ts';
import type { Database } from '../connection/connect.ts';

/** A running job as far as its outcome depends on it. */
interface AttemptedRow {
  id: string;
  type: string;
  queue: string;
  attempt: number;
  attemptsMade: number;
  maxAttempts: number;
  backoff: Backoff;
  suspect: boolean;
  hasWebhook: boolean;
}

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

const COLUMNS = [
  'jobs.id',
  'jobs.type',
  'jobs.queue',
  'jobs.attempt',
  'jobs.attempts_made as attemptsMade',
  'jobs.max_attempts as maxAttempts',
  'jobs.backoff',
  'jobs.suspect',
] as const;

/**
 * Lists running jobs whose worker has lost its lease or is no longer known. How many it ran is what was written down
 * when its lease ended; where somebody ended it without, such as an older build, it is counted now.
 */
export function listOrphanedJobs(db: Database, limit: number): Promise<OrphanedJob[]> {
  return db
    .selectFrom('jobs')
    .leftJoin('workers', 'workers.id', 'jobs.worker_id')
    .select(COLUMNS)
    .select((eb) => eb('jobs.webhook', 'is not', null).$castTo<boolean>().as('hasWebhook'))
    .select(['jobs.losses', runningWhenLost.as('runningWhenLost')])
    .where('jobs.status', '=', sql.lit('running'))
    .where(({ or, eb }) => or([eb('workers.id', 'is', null), eb('workers.lost_at', 'is not', null)]))
    .limit(limit)
    .execute();
}

const runningWhenLost = sql<
  number | null
>`CASE WHEN workers.id IS NOT NULL THEN coalesce(workers.running_when_lost,
  (SELECT count(*) FROM jobs AS other WHERE other.status = 'running' AND other.worker_id = workers.id)::int) END`;

/** Lists what runs in this worker's name, as far as the ledger knows. */
export function listOwnJobs(db: Database, workerId: string): Promise<OwnJob[]> {
  return db
    .selectFrom('jobs')
    .select(COLUMNS)
    .select((eb) => eb('jobs.webhook', 'is not', null).$castTo<boolean>().as('hasWebhook'))
    .select('jobs.cancel_requested_at as cancelRequestedAt')
    .where('status', '=', sql.lit('running'))
    .where('worker_id', '=', workerId)
    .execute();
}
