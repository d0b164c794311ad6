import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER } from './hot-rows.ts';

/** Jobs of one queue that could run now, if there were a worker for them. */
export interface JobsWithoutBuild {
  queue: string;
  /** No live worker of the queue has the type, or those that have it have schemas that refuse the payload. */
  reason: 'no_worker' | 'no_build_takes_payload';
  /** Counted up to 10,000 of each tenant and type. */
  count: number;
}

const MAX_COUNTED = 10_000;

/**
 * Counts the jobs that wait for a build, by flow: the ready jobs of one tenant and type that the same schemas refuse. A
 * flow is found by skipping to it in the index, so the many jobs that only wait for their turn are not read.
 */
export async function countJobsWithoutBuild(db: Database): Promise<JobsWithoutBuild[]> {
  const { rows } = await sql<JobsWithoutBuild>`
    WITH RECURSIVE live AS MATERIALIZED (
      SELECT DISTINCT queue, build_id FROM workers CROSS JOIN unnest(queues) AS queue
      WHERE lost_at IS NULL AND draining_at IS NULL
    ),
    takes AS MATERIALIZED (
      SELECT live.queue, t.type, t.schema_id FROM live JOIN build_types t ON t.build_id = live.build_id
    ),
    flows AS (
      (SELECT queue, tenant_id, type, refused_by FROM ready WHERE ${IN_ORDER}
       ORDER BY queue, tenant_id, type, refused_by LIMIT 1)
      UNION ALL
      SELECT later.* FROM flows CROSS JOIN LATERAL (
        SELECT r.queue, r.tenant_id, r.type, r.refused_by FROM ready r
        WHERE ${IN_ORDER} AND (r.queue, r.tenant_id, r.type, r.refused_by)
          > (flows.queue, flows.tenant_id, flows.type, flows.refused_by)
        ORDER BY r.queue, r.tenant_id, r.type, r.refused_by LIMIT 1) AS later
    ),
    stranded AS (
      SELECT flows.*, EXISTS (
        SELECT FROM takes WHERE takes.queue = flows.queue AND takes.type = flows.type) AS has_type
      FROM flows
      WHERE NOT EXISTS (
        SELECT FROM takes WHERE takes.queue = flows.queue AND takes.type = flows.type
          AND takes.schema_id <> ALL (flows.refused_by))
        -- What workers of the version before builds can run is not known.
        AND NOT EXISTS (SELECT FROM live WHERE live.queue = flows.queue AND live.build_id IS NULL)
    )
    SELECT queue, CASE WHEN has_type THEN 'no_build_takes_payload' ELSE 'no_worker' END AS reason,
      sum(counted.jobs)::int AS count
    FROM stranded CROSS JOIN LATERAL (
      SELECT count(*) AS jobs FROM (
        SELECT FROM ready WHERE ${IN_ORDER} AND ready.queue = stranded.queue AND ready.tenant_id = stranded.tenant_id
          AND ready.type = stranded.type AND ready.refused_by = stranded.refused_by
        LIMIT ${sql.lit(MAX_COUNTED)}) AS found) AS counted
    GROUP BY queue, reason ORDER BY queue, reason`.execute(db);
  return rows;
}
