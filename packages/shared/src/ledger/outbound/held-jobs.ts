import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** Makes up to `limit` jobs due that a breaker held, as it is closed; answers how many, and in which queues. */
export async function letHeldJobsGo(
  db: Database,
  breakerId: string,
  limit: number,
): Promise<{ jobs: number; queues: string[] }> {
  const { rows } = await sql<{ queue: string; jobs: number }>`
    /* let-held-jobs-go */ WITH freed AS (
      UPDATE due SET held_by = NULL, run_at = least(run_at, now()), version = version + 1
      WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM due WHERE held_by = ${breakerId} LIMIT ${limit} FOR UPDATE SKIP LOCKED))
      RETURNING queue)
    SELECT queue, count(*)::int AS jobs FROM freed GROUP BY queue`.execute(db);
  return { jobs: rows.reduce((sum, { jobs }) => sum + jobs, 0), queues: rows.map(({ queue }) => queue) };
}
