import { type RawBuilder, sql } from 'kysely';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { isAt, unnestBatch } from '../connection/unnest.ts';
import { TAKES_JOBS } from '../workers/workers.ts';
import { CARRIED, carriedFrom, OF_QUEUE } from './hot-rows.ts';
import type { DispatchedJob } from './take-jobs.ts';

/** After so long a delivery that a live worker has would have been claimed or given back: claims are tried again within seconds. */
const OVERDUE_MS = 30_000;

/** A job that was dispatched and not claimed; `isOverdue` when that is longer ago than any live worker takes. */
export interface UnclaimedJob extends DispatchedJob {
  queue: string;
  isOverdue: boolean;
}

/** Reads the jobs of all queues that have waited in the engine for longer than `olderThanMs` without being claimed. */
export async function listUnclaimed(db: Database, olderThanMs: number): Promise<UnclaimedJob[]> {
  return db
    .selectFrom('in_flight')
    .select([
      'job_id as id',
      'dispatch_no as dispatchNo',
      'type',
      'traceparent',
      'queue',
      'build_id as buildId',
    ])
    .select(sql<boolean>`dispatched_at <= now() - ${OVERDUE_MS} * interval '1 ms'`.as('isOverdue'))
    .where(OF_ANY_QUEUE)
    .where(sql<boolean>`${OF_QUEUE}`)
    .where('worker_id', 'is', null)
    .where('dispatched_at', '<=', sql<Date>`now() - ${olderThanMs} * interval '1 ms'`)
    .execute();
}

/** Has the index of queues taken for all of them. */
const OF_ANY_QUEUE = sql<boolean>`queue >= ''`;

/** Takes jobs back that nobody will claim: they are ready again, and the old dispatch claims nothing more. */
export async function takeBack(db: Database, jobs: DispatchKey[]): Promise<number> {
  if (jobs.length === 0) return 0;
  const lost = unnestBatch('lost', DISPATCHED_COLUMNS, jobs);
  const takenBack = await moveBack(
    db,
    sql`/* take-back */`,
    sql`USING ${lost} WHERE ${isAt('in_flight.job_id', 'lost.id')} AND in_flight.dispatch_no = lost.dispatch_no`,
  );
  return takenBack.length;
}

/**
 * Takes jobs back, of these queues or of all, that wait in the lanes of builds that no live worker has any more; answers how many
 * of each queue. A worker that is draining or rests claims no more, so its build may be gone while it lives.
 */
export async function takeBackFromGoneBuilds(
  db: Database,
  queues?: readonly string[],
): Promise<Map<string, number>> {
  const ofQueues = queues === undefined ? OF_ANY_QUEUE : sql`queue = ANY(${queues}::text[])`;
  const takenBack = await moveBack(
    db,
    queues === undefined ? sql`/* take-back-from-gone-builds */` : sql`/* give-lanes-back */`,
    // The lanes are few, and listed once for all jobs.
    sql`WHERE ${ofQueues} AND ${OF_QUEUE} AND in_flight.queue || ' ' || coalesce(in_flight.build_id, '') <> ALL (ARRAY(
      SELECT DISTINCT queue || ' ' || coalesce(build_id, '') FROM workers CROSS JOIN unnest(queues) AS queue
      WHERE lost_at IS NULL AND ${TAKES_JOBS}))`,
  );
  return countEach(takenBack);
}

/** What is paused of a queue: all of it, types, or tenants by id. */
export interface PausedJobs {
  isQueue: boolean;
  types: readonly string[];
  tenants: readonly string[];
}

/** Takes jobs of a queue back that wait in the engine and are paused: nobody is to start them. */
export async function takeBackPaused(db: Database, queue: string, paused: PausedJobs): Promise<void> {
  const { isQueue, types, tenants } = paused;
  await moveBack(
    db,
    sql`/* take-back-paused */`,
    sql`WHERE queue = ${queue} AND ${OF_QUEUE} AND (${isQueue}::boolean OR type = ANY(${types}::text[])
      OR tenant_id = ANY(${tenants}::uuid[]))`,
  );
}

/** Takes jobs of these types back that wait in the engine: they would take slots as soon as any come free. */
export async function takeBackTypes(db: Database, queue: string, types: readonly string[]): Promise<void> {
  await moveBack(
    db,
    sql`/* take-back-types */`,
    sql`WHERE queue = ${queue} AND ${OF_QUEUE} AND type = ANY(${types}::text[])`,
  );
}

function countEach(names: readonly string[]): Map<string, number> {
  return new Map(
    Map.groupBy(names, (name) => name)
      .entries()
      .map(([name, all]) => [name, all.length]),
  );
}

/** Moves the jobs that are meant, and not claimed, from flight to `ready`, where a client sees no change; answers their queues. */
async function moveBack(
  db: Database,
  name: RawBuilder<unknown>,
  which: RawBuilder<unknown>,
): Promise<string[]> {
  const { rows } = await sql<{ queue: string }>`
    ${name} WITH taken AS (
      DELETE FROM in_flight ${which} AND in_flight.worker_id IS NULL RETURNING ${carriedFrom('in_flight')})
    INSERT INTO ready (${CARRIED}) SELECT ${carriedFrom('taken')} FROM taken RETURNING queue`.execute(db);
  return rows.map(({ queue }) => queue);
}

const DISPATCHED_COLUMNS = [
  { name: 'id', type: 'uuid', value: (job: DispatchKey) => job.id },
  { name: 'dispatch_no', type: 'integer', value: (job: DispatchKey) => job.dispatchNo },
];
