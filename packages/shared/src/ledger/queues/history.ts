import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** Jobs that finished in the hour, or on the day (UTC), that begins at `atMs`. */
export interface HistoryPoint {
  atMs: number;
  jobs: number;
}

export interface HistoryQuery {
  /** All queues when left out. */
  queue?: string | undefined;
  status: 'succeeded' | 'failed';
  fromMs: number;
  toMs: number;
  granularity: 'hour' | 'day';
}

/** Reads how many jobs finished over time; hours in which none did are left out. */
export async function readHistory(
  db: Database,
  { queue, status, fromMs, toMs, granularity }: HistoryQuery,
): Promise<HistoryPoint[]> {
  const { rows } = await sql<HistoryPoint>`
    SELECT (extract(epoch FROM date_trunc(${granularity}, hour, 'UTC')) * 1000)::float8 AS "atMs", sum(jobs)::float8 AS jobs
    FROM finished_by_hour
    WHERE hour >= to_timestamp(${fromMs}::float8 / 1000) AND hour <= to_timestamp(${toMs}::float8 / 1000)
      AND status = ${status} AND (${queue ?? null}::text IS NULL OR queue = ${queue ?? null})
    GROUP BY 1 ORDER BY 1`.execute(db);
  return rows;
}

/** Forgets up to `limit` of the hours that ended so many days ago; answers how many. */
export async function forgetHistory(db: Database, olderThanDays: number, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    DELETE FROM finished_by_hour WHERE (queue, status, hour) IN (
      SELECT queue, status, hour FROM finished_by_hour
      WHERE hour < now() - ${olderThanDays} * interval '1 day' LIMIT ${limit})`.execute(db);
  return Number(numAffectedRows);
}
