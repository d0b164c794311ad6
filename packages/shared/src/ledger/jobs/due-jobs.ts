import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { CARRIED, carriedFrom } from './hot-rows.ts';

/** Makes those jobs ready whose time has come; answers the queues that got work. */
export async function queueDueJobs(db: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ queue: string }>`
    /* queue-due-jobs */ WITH came AS (
      DELETE FROM due WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM due WHERE run_at <= now() ORDER BY run_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))
      RETURNING ${carriedFrom('due')}
    )
    INSERT INTO ready (${CARRIED}) SELECT ${carriedFrom('came', { version: sql`came.version + 1` })} FROM came
    RETURNING queue`.execute(db);
  return [...new Set(rows.map((row) => row.queue))];
}

/** Tells in how many milliseconds the next scheduled or retrying job becomes due; `undefined` when none waits. */
export async function nextDueInMs(db: Database): Promise<number | undefined> {
  const { rows } = await sql<{ due_in_ms: number | null }>`
    /* next-due-job */ SELECT (extract(epoch FROM min(run_at) - now()) * 1000)::float8 AS due_in_ms FROM due`.execute(
    db,
  );
  return rows[0]?.due_in_ms ?? undefined;
}
