import { type RawBuilder, sql } from 'kysely';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { isAt, unnestBatch } from '../connection/unnest.ts';
import type { DispatchedJob } from './begin-turn.ts';
import { CARRIED, carriedFrom, OF_QUEUE } from './hot-rows.ts';

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
    .selectFrom('in_flight')
    .select(['job_id as id', 'dispatch_no as dispatchNo', 'type', 'traceparent', 'build_id as buildId'])
    .select(sql<boolean>`dispatched_at <= now() - ${OVERDUE_MS} * interval '1 ms'`.as('isOverdue'))
    .where('queue', '=', queue)
    .where(sql<boolean>`${OF_QUEUE}`)
    .where('worker_id', 'is', null)
    .where('dispatched_at', '<=', sql<Date>`now() - ${olderThanMs} * interval '1 ms'`)
    .execute();
}

/** Takes jobs back that nobody will claim: they are ready again, and the old dispatch claims nothing more. */
export async function takeBack(db: Database, jobs: DispatchKey[]): Promise<number> {
  if (jobs.length === 0) return 0;
  const lost = unnestBatch('lost', DISPATCHED_COLUMNS, jobs);
  return await moveBack(
    db,
    sql`/* take-back */`,
    sql`USING ${lost} WHERE ${isAt('in_flight.job_id', 'lost.id')} AND in_flight.dispatch_no = lost.dispatch_no`,
  );
}

/**
 * Takes the jobs of a queue back that wait in the lanes of builds that no live worker has any more; answers how many. A
 * worker that is draining claims no more, so its build may be gone while it lives.
 */
export async function takeBackFromGoneBuilds(db: Database, queue: string): Promise<number> {
  return await moveBack(
    db,
    sql`/* take-back-from-gone-builds */`,
    sql`WHERE in_flight.queue = ${queue} AND ${OF_QUEUE} AND coalesce(in_flight.build_id, '') <> ALL (ARRAY(
      SELECT coalesce(workers.build_id, '') FROM workers
      WHERE ${queue} = ANY (queues) AND lost_at IS NULL AND draining_at IS NULL))`,
  );
}

/** Moves the jobs that are meant, and not claimed, from flight to `ready`: a client sees no change. */
async function moveBack(
  db: Database,
  name: RawBuilder<unknown>,
  which: RawBuilder<unknown>,
): Promise<number> {
  const { numAffectedRows } = await sql`
    ${name} WITH taken AS (
      DELETE FROM in_flight ${which} AND in_flight.worker_id IS NULL RETURNING ${carriedFrom('in_flight')})
    INSERT INTO ready (${CARRIED}) SELECT ${carriedFrom('taken')} FROM taken`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

const DISPATCHED_COLUMNS = [
  { name: 'id', type: 'uuid', value: (job: DispatchKey) => job.id },
  { name: 'dispatch_no', type: 'integer', value: (job: DispatchKey) => job.dispatchNo },
];
