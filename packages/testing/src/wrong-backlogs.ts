import type { Database } from '@accepted/shared/ledger/connection/connect';
import { HOT_TABLES } from '@accepted/shared/ledger/jobs/hot-tables';
import { sql } from 'kysely';

/** What is told of the live jobs of a queue, of one tenant or of all, and how many there are. */
export interface WrongBacklog {
  queue: string;
  tenantId: string;
  told: number;
  live: number;
}

/** Finds backlogs of which another number is told than there are jobs: none, once they were counted. */
export async function findWrongBacklogs(db: Database): Promise<WrongBacklog[]> {
  const live = sql.join(
    HOT_TABLES.map((table) => sql`SELECT tenant_id, queue FROM ${sql.table(table)}`),
    sql` UNION ALL `,
  );
  const ofAll = sql`'00000000-0000-0000-0000-000000000000'::uuid`;
  const { rows } = await sql<WrongBacklog>`
    WITH live AS (
      SELECT coalesce(tenant_id, ${ofAll}) AS tenant_id, queue, count(*) AS jobs FROM (${live}) AS hot
      GROUP BY GROUPING SETS ((tenant_id, queue), (queue))
    ),
    changed AS (
      SELECT coalesce(tenant_id, ${ofAll}) AS tenant_id, queue, sum(change.jobs) AS jobs
      FROM backlog_changes CROSS JOIN LATERAL unnest(tenant_ids, jobs) AS change (tenant_id, jobs)
      WHERE told_by >= (SELECT told_since FROM backlogs_counted)
      GROUP BY GROUPING SETS ((tenant_id, queue), (queue))
    ),
    told AS (
      SELECT tenant_id, queue, sum(jobs) AS jobs FROM (SELECT * FROM backlogs UNION ALL SELECT * FROM changed) AS all_told
      GROUP BY tenant_id, queue
    )
    SELECT queue, tenant_id AS "tenantId", coalesce(told.jobs, 0)::int AS told, coalesce(live.jobs, 0)::int AS live
    FROM told FULL JOIN live USING (tenant_id, queue)
    WHERE coalesce(told.jobs, 0) <> coalesce(live.jobs, 0)`.execute(db);
  return rows;
}
