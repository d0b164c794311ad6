import { sql } from 'kysely';
import type { Database } from './connect.ts';

/** Jobs are counted up to this many, so that an estimate stays cheap whatever the backlog. */
const MAX_COUNTED = 50_000;

/** Tells how fast a queue drains: enough to estimate a wait. */
export interface QueueLoad {
  /** Jobs that could run now and do not; counted up to 50,000. */
  waiting: number;
  /** Jobs that the live workers finished per second, as of their last heartbeats. */
  finishedPerSecond: number;
  /** How many jobs the live workers can run at once. */
  concurrency: number;
}

/** Reads the load of one queue. */
export async function readQueueLoad(db: Database, queue: string): Promise<QueueLoad> {
  const { rows } = await sql<QueueLoad>`
    SELECT ${countWhere(sql`queue = ${queue} AND status = 'queued' AND dispatched_at IS NULL`)}
         + ${countWhere(sql`queue = ${queue} AND status = 'queued' AND dispatched_at IS NOT NULL`)} AS waiting,
      coalesce(sum((finished_per_second ->> ${queue})::float8), 0) AS "finishedPerSecond",
      coalesce(sum(concurrency), 0)::int AS concurrency
    FROM workers
    WHERE lost_at IS NULL AND draining_at IS NULL AND ${queue} = ANY(queues)`.execute(db);
  return rows[0] ?? { waiting: 0, finishedPerSecond: 0, concurrency: 0 };
}

/** Describes a queue to operators. The counts stop at 50,000 each; times come from the clock of Postgres. */
export interface QueueStatistics {
  name: string;
  queued: number;
  running: number;
  scheduled: number;
  retrying: number;
  /** How long the job that has been due the longest has waited. */
  oldestWaitMs: number | null;
  finishedPerSecond: number;
  workers: number;
  concurrency: number;
}

/** Lists every queue by name. */
export async function listQueueStatistics(db: Database): Promise<QueueStatistics[]> {
  const { rows } = await sql<QueueStatistics>`
    SELECT q.name,
      ${countWhere(sql`queue = q.name AND status = 'queued' AND dispatched_at IS NULL`)}
        + ${countWhere(sql`queue = q.name AND status = 'queued' AND dispatched_at IS NOT NULL`)} AS queued,
      ${countWhere(sql`queue = q.name AND status = 'running'`)} AS running,
      ${countWhere(sql`queue = q.name AND status = 'scheduled'`)} AS scheduled,
      ${countWhere(sql`queue = q.name AND status = 'retrying'`)} AS retrying,
      (SELECT (extract(epoch FROM now() - min(run_at)) * 1000)::float8 FROM jobs
       WHERE queue = q.name AND status = 'queued') AS "oldestWaitMs",
      coalesce(live.rate, 0) AS "finishedPerSecond",
      coalesce(live.workers, 0) AS workers,
      coalesce(live.concurrency, 0) AS concurrency
    FROM queues q
    LEFT JOIN LATERAL (
      SELECT sum((finished_per_second ->> q.name)::float8) AS rate, count(*)::int AS workers,
        sum(concurrency)::int AS concurrency
      FROM workers WHERE lost_at IS NULL AND draining_at IS NULL AND q.name = ANY(queues)) AS live ON true
    ORDER BY q.name`.execute(db);
  return rows.map((row) => ({
    ...row,
    oldestWaitMs: row.oldestWaitMs && Math.max(0, Math.round(row.oldestWaitMs)),
  }));
}

function countWhere(condition: ReturnType<typeof sql>) {
  return sql`(SELECT count(*)::int FROM (SELECT FROM jobs WHERE ${condition} LIMIT ${sql.lit(MAX_COUNTED)}) AS counted)`;
}

/** Lists the names of all queues that a worker ever registered. */
export async function listQueueNames(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('queues').select('name').orderBy('name').execute();
  return rows.map((row) => row.name);
}
