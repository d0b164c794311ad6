import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { OF_QUEUE } from '../jobs/hot-rows.ts';

/** Describes a worker process to the others. `concurrency` is per queue, but for those that `slotsByQueue` names. */
export interface WorkerRegistration {
  id: string;
  hostname: string;
  pid: number;
  queues: string[];
  concurrency: number;
  slotsByQueue?: Record<string, number>;
  buildId: string;
}

/** Starts a lease: from now on jobs may be claimed in this worker's name. */
export async function registerWorker(
  db: Database,
  { buildId, slotsByQueue = {}, ...worker }: WorkerRegistration,
): Promise<void> {
  await db
    .insertInto('workers')
    .values({ ...worker, build_id: buildId, slots_by_queue: JSON.stringify(slotsByQueue) })
    .execute();
}

/** Builds how many jobs of a queue a row of `workers` can run at once. */
export function slotsIn(queue: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`coalesce((slots_by_queue ->> ${queue})::integer, concurrency)`;
}

/** Whether dispatchers count on a row of `workers`: it neither ends nor rests for being slow. */
export const TAKES_JOBS = sql`draining_at IS NULL AND slow_since IS NULL`;

/** How much later than the one before a heartbeat may come, so that a worker still counts as steady. */
export const steadyGap = (heartbeatMs: number) => sql`${2 * heartbeatMs} * interval '1 ms'`;

/** Says that this worker takes no more jobs; the dispatchers stop counting on it. Its build lived until now at least. */
export async function markDraining(db: Database, workerId: string): Promise<void> {
  await sql`
    WITH draining AS (UPDATE workers SET draining_at = now() WHERE id = ${workerId} RETURNING build_id)
    UPDATE builds SET last_lived_at = now() FROM draining WHERE builds.id = draining.build_id`.execute(db);
}

/** Ends the lease of a worker that has no running jobs left. */
export async function removeWorker(db: Database, workerId: string): Promise<void> {
  await db.deleteFrom('workers').where('id', '=', workerId).execute();
}

interface Rescuer {
  rescuerId: string;
  leaseMs: number;
  heartbeatMs: number;
}

/**
 * Ends the lease of every worker that was silent for `leaseMs` while the heartbeats of `rescuerId` went through, all by
 * the clock of Postgres. Whatever stops everybody's heartbeats, be it a Postgres that stood still or a lock, leaves the
 * rescuer's own too old or too newly steady: then nobody is lost.
 *
 * A row that is locked is passed over, as its heartbeat or a claim may be just under way. How many jobs ran is written
 * down with the end of the lease, and counted by a statement of its own under the lock: only that one sees the claims
 * that were committed before the lock was had, and there are none after it. Their builds lived until their heartbeats.
 */
export async function markLostWorkers(db: Database, rescuer: Rescuer): Promise<string[]> {
  const { rows: silent } = await silentWorkers(rescuer).execute(db);
  if (silent.length === 0) return [];
  return await db.transaction().execute(async (tx) => {
    const { rows: locked } = await sql<{ id: string }>`
      ${silentWorkers(rescuer)} FOR UPDATE SKIP LOCKED`.execute(tx);
    const ids = locked.map(({ id }) => id);
    if (ids.length > 0) await endLeases(tx, ids);
    return ids;
  });
}

async function endLeases(tx: Transaction<Ledger>, ids: string[]): Promise<void> {
  await sql`
    WITH lost AS (
      UPDATE workers SET lost_at = now(), running_when_lost = ${countRunning}
      WHERE id = ANY(${ids}::uuid[])
      RETURNING build_id, heartbeat_at
    )
    UPDATE builds SET last_lived_at = greatest(last_lived_at, ended.at)
    FROM (SELECT build_id, max(heartbeat_at) AS at FROM lost GROUP BY build_id) AS ended
    WHERE builds.id = ended.build_id`.execute(tx);
}

/** How many jobs run in the name of a row of `workers`; by queue, which has an index. */
export const countRunning = sql`(SELECT count(*) FROM in_flight
  WHERE in_flight.queue = ANY (workers.queues) AND ${OF_QUEUE} AND in_flight.worker_id = workers.id)`;

function silentWorkers({ rescuerId, leaseMs, heartbeatMs }: Rescuer) {
  return sql<{ id: string }>`
    SELECT id FROM workers
    WHERE lost_at IS NULL AND heartbeat_at < now() - ${leaseMs} * interval '1 ms'
      AND EXISTS (
        SELECT FROM workers AS rescuer
        WHERE rescuer.id = ${rescuerId} AND rescuer.lost_at IS NULL
          AND rescuer.heartbeat_at >= now() - ${steadyGap(heartbeatMs)}
          AND rescuer.steady_since <= now() - ${leaseMs} * interval '1 ms')`;
}

/** Forgets lost workers that no running job names any more. */
export async function forgetLostWorkers(db: Database): Promise<void> {
  await db
    .deleteFrom('workers')
    .where('lost_at', '<', sql<Date>`now() - interval '1 day'`)
    .where(sql<boolean>`${countRunning} = 0`)
    .execute();
}

/** How many live workers of a build serve a queue, what they can run at once together, and what they finish. */
export interface LiveLane {
  buildId: string;
  workers: number;
  concurrency: number;
  /** The same with the workers that take no more jobs, or none for a while, but run what they have to its end. */
  concurrencyWithDraining: number;
  finishedPerSecond: number;
  /** The types of which handlers hang, by worker. */
  slowTypes: string[][];
}

/** Sums up the live workers of a queue by build. Those of the version before builds dispatch for themselves. */
export async function listLiveLanes(db: Database, queue: string): Promise<LiveLane[]> {
  const slots = slotsIn(sql`${queue}`);
  const takes = sql`FILTER (WHERE ${TAKES_JOBS})`;
  const { rows } = await sql<LiveLane>`
    SELECT build_id AS "buildId", (count(*) ${takes})::int AS workers, (sum(${slots}) ${takes})::int AS concurrency,
      sum(${slots})::int AS "concurrencyWithDraining",
      coalesce(sum((finished_per_second ->> ${queue})::float8) ${takes}, 0) AS "finishedPerSecond",
      json_agg(slow_types) AS "slowTypes"
    FROM workers
    WHERE ${queue} = ANY(queues) AND lost_at IS NULL AND build_id IS NOT NULL
    GROUP BY build_id HAVING count(*) ${takes} > 0 ORDER BY build_id`.execute(db);
  return rows;
}

/** Names the lanes of all queues that a live worker takes jobs from. */
export async function listLaneNames(db: Database): Promise<{ queue: string; buildId: string | null }[]> {
  const { rows } = await sql<{ queue: string; buildId: string | null }>`
    SELECT DISTINCT queue, build_id AS "buildId" FROM workers CROSS JOIN unnest(queues) AS queue
    WHERE lost_at IS NULL AND draining_at IS NULL
    ORDER BY queue, build_id`.execute(db);
  return rows;
}

/** Names the queues that live workers serve. */
export async function listServedQueues(db: Database): Promise<string[]> {
  const lanes = await listLaneNames(db);
  return [...new Set(lanes.map(({ queue }) => queue))];
}

/** What the live workers say of the queue engine; `undefined` where none says it. */
export interface EngineState {
  /** Whether every one of them reaches it. */
  isUp: boolean | undefined;
  /** The most of its memory, from 0 to 1, that one of them has found taken. */
  fullness: number | undefined;
}

export async function readEngineState(db: Database): Promise<EngineState> {
  const { rows } = await sql<{ up: boolean | null; fullness: number | null }>`
    SELECT bool_and(engine_up) AS up, max(engine_fullness) AS fullness FROM workers
    WHERE lost_at IS NULL AND heartbeat_at > now() - interval '1 minute'`.execute(db);
  return { isUp: rows[0]?.up ?? undefined, fullness: rows[0]?.fullness ?? undefined };
}

/**
 * Tells whether a worker on this host, or that very process of it, has sent a heartbeat within `withinMs`, by the clock
 * of Postgres. An earlier process may have had the same pid and left its row; its heartbeat is old.
 */
export async function hasLiveWorker(
  db: Database,
  { hostname, pid }: { hostname: string; pid?: number },
  withinMs: number,
): Promise<boolean> {
  const row = await db
    .selectFrom('workers')
    .select('id')
    .where('hostname', '=', hostname)
    .$if(pid !== undefined, (query) => query.where('pid', '=', pid ?? 0))
    .where('lost_at', 'is', null)
    .where('heartbeat_at', '>', sql<Date>`now() - ${withinMs} * interval '1 ms'`)
    .executeTakeFirst();
  return row !== undefined;
}
