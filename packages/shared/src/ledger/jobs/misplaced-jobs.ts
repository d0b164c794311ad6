import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** A job that is in no place, or in more than one. */
export interface MisplacedJob {
  jobId: string;
  /** In which of the hot tables it is. */
  tables: string[];
  /** How its newest attempt left it; `null`: it has none. */
  ended: string | null;
}

/**
 * Finds jobs that break the rule of the ledger: a live job is in exactly one of the hot tables, a finished one is in none
 * and has an outcome. A job that was replayed is live in a later round than the one that it ended in. Reads all jobs.
 */
export async function findMisplacedJobs(db: Database, limit = 100): Promise<MisplacedJob[]> {
  const { rows } = await sql<MisplacedJob>`
    WITH live AS (
      SELECT tenant_id, job_id, array_agg(place) AS tables, max(replay_round) AS round FROM (
        SELECT tenant_id, job_id, replay_round, 'ready' AS place FROM ready
        UNION ALL SELECT tenant_id, job_id, replay_round, 'blocked' FROM blocked
        UNION ALL SELECT tenant_id, job_id, replay_round, 'due' FROM due
        UNION ALL SELECT tenant_id, job_id, replay_round, 'in_flight' FROM in_flight) AS hot
      GROUP BY tenant_id, job_id
    ),
    ended AS (
      SELECT DISTINCT ON (tenant_id, job_id) tenant_id, job_id, status, replay_round,
        status IN ('succeeded', 'failed', 'canceled', 'expired') AS is_final
      FROM attempts ORDER BY tenant_id, job_id, version DESC
    )
    SELECT coalesce(jobs.id, live.job_id, ended.job_id) AS "jobId", coalesce(live.tables, '{}') AS tables,
      ended.status AS ended
    FROM jobs FULL JOIN live ON live.tenant_id = jobs.tenant_id AND live.job_id = jobs.id
    FULL JOIN ended ON ended.tenant_id = coalesce(jobs.tenant_id, live.tenant_id)
      AND ended.job_id = coalesce(jobs.id, live.job_id)
    WHERE jobs.id IS NULL OR cardinality(live.tables) > 1
      OR (live.job_id IS NULL AND ended.is_final IS NOT TRUE)
      OR (live.job_id IS NOT NULL AND ended.is_final AND ended.replay_round >= live.round)
    LIMIT ${limit}`.execute(db);
  return rows;
}

/**
 * Counts the jobs in flight that break this rule: they are in another table as well, or have ended in their round. Costs a
 * few looks for each job in flight, of which there are no more than windows and slots hold.
 */
export async function countMisplacedInFlight(db: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM in_flight
    WHERE ${isIn('ready')} OR ${isIn('blocked')} OR ${isIn('due')} OR (
      SELECT true FROM attempts WHERE tenant_id = in_flight.tenant_id AND job_id = in_flight.job_id
        AND replay_round = in_flight.replay_round AND status IN ('succeeded', 'failed', 'canceled', 'expired') LIMIT 1
    ) IS NOT NULL`.execute(db);
  return rows[0]?.count ?? 0;
}

/** No `EXISTS`: that may be planned as a scan of all. */
function isIn(table: 'ready' | 'blocked' | 'due') {
  return sql`(SELECT true FROM ${sql.table(table)} AS other
    WHERE other.tenant_id = in_flight.tenant_id AND other.job_id = in_flight.job_id) IS NOT NULL`;
}
