import { sql } from 'kysely';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { unnestBatch } from '../connection/unnest.ts';
import type { DispatchedJob } from './begin-turn.ts';

/** After so long a delivery that a live worker has would have been claimed or given back: claims are tried again within seconds. */
const OVERDUE_MS = 30_000;

/** A job that was dispatched and not claimed; `isOverdue` when that is longer ago than any live worker takes. */
export interface UnclaimedJob extends DispatchedJob {
  isOverdue: boolean;
}

/** Reads the jobs that have waited in the engine for longer than `olderThanMs` without being claimed. */
export async function listUnclaimed(
  db: Database,
  queue: string,
  olderThanMs: number,
): Promise<UnclaimedJob[]> {
  return db
    .selectFrom('jobs')
    .select(['id', 'dispatch_no as dispatchNo', 'type', 'traceparent', 'build_id as buildId'])
    .select(sql<boolean>`dispatched_at <= now() - ${OVERDUE_MS} * interval '1 ms'`.as('isOverdue'))
    .where('queue', '=', queue)
    .where('status', '=', sql.lit('queued'))
    .where('dispatched_at', '<=', sql<Date>`now() - ${olderThanMs} * interval '1 ms'`)
    .execute();
}

/** Takes jobs back that nobody will claim: they are ready again, and the old dispatch claims nothing more. */
export async function takeBack(db: Database, jobs: DispatchKey[]): Promise<number> {
  if (jobs.length === 0) return 0;
  const { numAffectedRows } = await sql`
    UPDATE jobs SET dispatched_at = NULL
    FROM ${unnestBatch('lost', DISPATCHED_COLUMNS, jobs)}
    WHERE jobs.id = lost.id AND jobs.dispatch_no = lost.dispatch_no
      AND jobs.status = 'queued' AND jobs.dispatched_at IS NOT NULL`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Takes the jobs of a queue back that wait in the lanes of builds that no live worker has any more; answers how many. A
 * worker that is draining claims no more, so its build may be gone while it lives.
 */
export async function takeBackFromGoneBuilds(db: Database, queue: string): Promise<number> {
  const { numAffectedRows } = await sql`
    /* take-back-from-gone-builds */ UPDATE jobs SET dispatched_at = NULL
    WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NOT NULL
      AND coalesce(build_id, '') <> ALL (ARRAY(
        SELECT coalesce(workers.build_id, '') FROM workers
        WHERE ${queue} = ANY (queues) AND lost_at IS NULL AND draining_at IS NULL))`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

const DISPATCHED_COLUMNS = [
  { name: 'id', type: 'uuid', value: (job: DispatchKey) => job.id },
  { name: 'dispatch_no', type: 'integer', value: (job: DispatchKey) => job.dispatchNo },
];
