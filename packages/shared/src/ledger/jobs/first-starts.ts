import { type RawBuilder, sql } from 'kysely';
import type { FirstStart } from '../../core/fairness/prediction-samples.ts';
import type { Database } from '../connection/connect.ts';
import { unnestBatch } from '../connection/unnest.ts';
import { JOB_KEY_COLUMNS, type JobKey } from './job-key.ts';

/** When a job was first started, and how long that attempt ran; `null` where it has not ended, or not well. */
export type FoundStart = FirstStart & { ranMs: number | null };

/** Finds when jobs were first started, however often they were since; those that are gone are left out. */
export async function findFirstStarts(db: Database, keys: JobKey[]): Promise<FoundStart[]> {
  // Each is looked up by itself: the limits keep the planner from joining the keys with a walk through all of a table.
  const { rows } = await sql<FoundStart>`
    /* find-first-starts */
    SELECT asked.id, ${epochMs(sql`coalesce(ended.started_at, flying.started_at)`)} AS "startedAtMs",
      ended.job_id IS NOT NULL AND ended.started_at IS NULL AS "isOver",
      CASE WHEN ended.outcome = 'succeeded' THEN ${epochMs(sql`ended.finished_at - ended.started_at`)} END AS "ranMs"
    FROM ${unnestBatch('asked', JOB_KEY_COLUMNS, keys)}
    CROSS JOIN LATERAL (
      SELECT FROM jobs WHERE jobs.tenant_id = asked.tenant_id AND jobs.id = asked.id LIMIT 1) AS job
    LEFT JOIN LATERAL (
      SELECT job_id, started_at, finished_at, outcome FROM attempts
      WHERE attempts.tenant_id = asked.tenant_id AND attempts.job_id = asked.id
      ORDER BY version LIMIT 1) AS ended ON true
    LEFT JOIN LATERAL (
      SELECT started_at FROM in_flight
      WHERE in_flight.tenant_id = asked.tenant_id AND in_flight.job_id = asked.id LIMIT 1) AS flying ON true`.execute(
    db,
  );
  return rows;
}

const epochMs = (time: RawBuilder<unknown>) => sql`(extract(epoch FROM ${time}) * 1000)::float8`;
