import type { Pool } from 'pg';
import type { Outcome } from './contender.ts';

/** Counts rows; `from` is a table and a condition. */
export async function countRows(postgres: Pool, from: string): Promise<number> {
  const { rows } = await postgres.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${from}`);
  return rows[0]?.count ?? 0;
}

/** Reads when rows were last written, by the time of the commit: that is when their outcome became durable. */
export async function readCommitTimes(postgres: Pool, payload: string, from: string): Promise<Outcome[]> {
  const { rows } = await postgres.query<Outcome>(
    `SELECT (${payload} ->> 'n')::int AS n,
       (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
     FROM ${from}`,
  );
  return rows;
}
