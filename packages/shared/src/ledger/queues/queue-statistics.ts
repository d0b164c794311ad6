import { type RawBuilder, sql, type Transaction } from 'kysely';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { IN_ORDER, OF_QUEUE } from '../jobs/hot-rows.ts';
import { BLOCKED_LINE, isAfterBlockedLine, isAfterLine, LINE } from '../jobs/survey-queue.ts';
import { slotsIn, TAKES_JOBS } from '../workers/workers.ts';
import { countRows } from './count-rows.ts';
import { planThroughIndexes } from './plan-through-indexes.ts';

/** Jobs of one queue that no worker has been given: those that are due, and those whose time has not come. */
export interface WaitingJobs {
  queue: string;
  /** With those that wait for a slot of their key. The three counts stop at 50,000 each. */
  ready: number;
  scheduled: number;
  retrying: number;
  /** How long the one that has been due the longest has waited, by the clock of Postgres; below 0 by a wrong clock of ours. */
  oldestWaitMs: number | null;
}

/** Jobs of one tenant that workers of a queue have, or are about to have. */
export interface JobsInFlight {
  queue: string;
  tenantId: string;
  /** In the engine, and not claimed yet. */
  dispatched: number;
  running: number;
  /** As in `WaitingJobs`, of those that are dispatched. */
  oldestWaitMs: number | null;
}

/** Who serves a queue. Workers are shared by all tenants. */
export interface QueueWorkers {
  queue: string;
  /** As of the last heartbeats of the live workers, over all tenants. */
  finishedPerSecond: number;
  workers: number;
  /** Jobs that they can run at once, all together. */
  concurrency: number;
  /** How many live workers take no jobs for a while, as they are far slower than others; they are not among `workers`. */
  slowWorkers: number;
}

/** Counts what waits in every queue, over all tenants. Costs a step in an index for each line that jobs wait in. */
export function countAllWaiting(db: Database): Promise<WaitingJobs[]> {
  return db.transaction().execute((tx) => countWaiting(tx, sql``));
}

/** Counts what waits of one tenant in every queue. Costs the same however many others wait. */
export function countWaitingOf(db: Database, tenantId: string): Promise<WaitingJobs[]> {
  const own = sql` AND tenant_id = ${tenantId}`;
  return asTenant(db, tenantId, (tx) => countWaiting(tx, own));
}

async function countWaiting(tx: Transaction<Ledger>, whose: RawBuilder<unknown>): Promise<WaitingJobs[]> {
  await planThroughIndexes(tx);
  const { rows } = await sql<WaitingJobs>`
    SELECT q.name AS queue,
      ${countRows(sql`(SELECT FROM ready WHERE queue = q.name AND ${IN_ORDER}${whose}
        UNION ALL SELECT FROM blocked WHERE queue = q.name AND ${IN_ORDER}${whose}) AS waiting`)} AS ready,
      ${countRows(sql`due WHERE queue = q.name AND ${OF_QUEUE} AND status = 'scheduled'${whose}`)} AS scheduled,
      ${countRows(sql`due WHERE queue = q.name AND ${OF_QUEUE} AND status = 'retrying'${whose}`)} AS retrying,
      ${waitMs(sql`least((${longestWait(whose)}), (${longestBlocked(whose)}))`)} AS "oldestWaitMs"
    FROM queues q ORDER BY q.name`.execute(tx);
  return rows;
}

/**
 * Since when the job has been due that has waited the longest: one of the first of the lines, which are found by skipping from
 * one to the next (PostgreSQL wiki, "Loose indexscan"). Whoever was given back has waited no longer than that was.
 */
function longestWait(whose: RawBuilder<unknown>): RawBuilder<unknown> {
  const waits = sql`queue = q.name AND ${IN_ORDER}${whose}`;
  return sql`
    WITH RECURSIVE firsts AS (
      (SELECT ${LINE}, run_at FROM ready WHERE ${waits} ORDER BY ${LINE}, placed_by, job_id LIMIT 1)
      UNION ALL
      SELECT next.* FROM firsts AS line CROSS JOIN LATERAL (
        SELECT ${LINE}, run_at FROM ready WHERE ${waits} AND ${isAfterLine(sql`line`)}
        ORDER BY ${LINE}, placed_by, job_id LIMIT 1) AS next
    )
    SELECT min(run_at) FROM firsts`;
}

/** The same of the jobs that wait for a slot of their key. */
function longestBlocked(whose: RawBuilder<unknown>): RawBuilder<unknown> {
  const waits = sql`queue = q.name AND ${IN_ORDER}${whose}`;
  return sql`
    WITH RECURSIVE firsts AS (
      (SELECT ${BLOCKED_LINE}, run_at FROM blocked WHERE ${waits} ORDER BY ${BLOCKED_LINE}, placed_by, job_id LIMIT 1)
      UNION ALL
      SELECT next.* FROM firsts AS line CROSS JOIN LATERAL (
        SELECT ${BLOCKED_LINE}, run_at FROM blocked WHERE ${waits} AND ${isAfterBlockedLine(sql`line`)}
        ORDER BY ${BLOCKED_LINE}, placed_by, job_id LIMIT 1) AS next
    )
    SELECT min(run_at) FROM firsts`;
}

/** Counts what is dispatched or running by queue and tenant: no more than the workers' windows and slots hold. */
export function countInFlight(db: Database): Promise<JobsInFlight[]> {
  return db.transaction().execute(async (tx) => {
    await planThroughIndexes(tx);
    const { rows } = await sql<JobsInFlight>`
      SELECT queue, tenant_id AS "tenantId", count(*) FILTER (WHERE is_running)::int AS running,
        count(*) FILTER (WHERE NOT is_running)::int AS dispatched,
        ${waitMs(sql`min(run_at) FILTER (WHERE NOT is_running)`)} AS "oldestWaitMs"
      FROM (SELECT queue, tenant_id, run_at, worker_id IS NOT NULL AS is_running FROM in_flight
        WHERE ${OF_QUEUE}) AS job
      GROUP BY queue, tenant_id`.execute(tx);
    return rows;
  });
}

/** Lists who serves each queue, also those that nobody does. */
export async function listQueueWorkers(db: Database): Promise<QueueWorkers[]> {
  const takes = sql`FILTER (WHERE ${TAKES_JOBS})`;
  const { rows } = await sql<QueueWorkers>`
    SELECT q.name AS queue, coalesce(live.rate, 0) AS "finishedPerSecond", coalesce(live.workers, 0) AS workers,
      coalesce(live.concurrency, 0) AS concurrency, coalesce(live.slow, 0) AS "slowWorkers"
    FROM queues q
    LEFT JOIN LATERAL (
      SELECT sum((finished_per_second ->> q.name)::float8) ${takes} AS rate, (count(*) ${takes})::int AS workers,
        (sum(${slotsIn(sql`q.name`)}) ${takes})::int AS concurrency,
        (count(*) FILTER (WHERE slow_since IS NOT NULL))::int AS slow
      FROM workers WHERE lost_at IS NULL AND draining_at IS NULL AND q.name = ANY(queues)) AS live ON true
    ORDER BY q.name`.execute(db);
  return rows;
}

function waitMs(runAt: RawBuilder<unknown>) {
  return sql`round(extract(epoch FROM now() - ${runAt}) * 1000)::float8`;
}
