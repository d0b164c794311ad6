import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from '../jobs/hot-rows.ts';
import { slotsIn } from '../workers/workers.ts';
import { countRows } from './count-rows.ts';

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
    SELECT ${countRows(sql`(SELECT FROM ready WHERE queue = ${queue} AND ${IN_ORDER}
           UNION ALL SELECT FROM blocked WHERE queue = ${queue} AND ${IN_ORDER}) AS waiting`)}
         + ${countRows(sql`in_flight WHERE queue = ${queue} AND ${OF_QUEUE} AND worker_id IS NULL`)} AS waiting,
      coalesce(sum((finished_per_second ->> ${queue})::float8), 0) AS "finishedPerSecond",
      coalesce(sum(${slotsIn(sql`${queue}`)}), 0)::int AS concurrency
    FROM workers
    WHERE lost_at IS NULL AND draining_at IS NULL AND ${queue} = ANY(queues)`.execute(db);
  return rows[0] ?? { waiting: 0, finishedPerSecond: 0, concurrency: 0 };
}

/** Lists the names of all queues that a worker ever registered. */
export async function listQueueNames(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('queues').select('name').orderBy('name').execute();
  return rows.map((row) => row.name);
}
