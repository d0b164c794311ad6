import { sql } from 'kysely';
import type { Backoff } from '../job/backoff.ts';
import type { Database } from './connect.ts';

/** A running job whose worker is gone. */
export interface OrphanedJob {
  id: string;
  type: string;
  queue: string;
  attempt: number;
  attemptsMade: number;
  maxAttempts: number;
  backoff: Backoff;
  hasWebhook: boolean;
}

/** A running job as its own worker checks it. */
export interface OwnJob extends OrphanedJob {
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
] as const;

/**
 * Lists running jobs whose worker has lost its lease or is no longer known. A claim that commits while its
 * worker is being marked as lost is seen by the next call.
 */
export function listOrphanedJobs(db: Database, limit: number): Promise<OrphanedJob[]> {
  return db
    .selectFrom('jobs')
    .leftJoin('workers', 'workers.id', 'jobs.worker_id')
    .select(COLUMNS)
    .select((eb) => eb('jobs.webhook', 'is not', null).$castTo<boolean>().as('hasWebhook'))
    .where('jobs.status', '=', sql.lit('running'))
    .where(({ or, eb }) => or([eb('workers.id', 'is', null), eb('workers.lost_at', 'is not', null)]))
    .limit(limit)
    .execute();
}

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
