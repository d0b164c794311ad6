import { type RawBuilder, sql } from 'kysely';
import { HOT_TABLES, type HotTable } from './hot-tables.ts';

/** The condition that a job is in one of the hot tables. Scalar subqueries: an `EXISTS` may be planned as a scan of all. */
export function isLive(tenantId: RawBuilder<unknown>, jobId: RawBuilder<unknown>): RawBuilder<boolean> {
  const isIn = (table: HotTable) => sql`(
    SELECT true FROM ${sql.table(table)} AS hot WHERE hot.tenant_id = ${tenantId} AND hot.job_id = ${jobId})`;
  return sql<boolean>`coalesce(${sql.join(HOT_TABLES.map(isIn))}, false)`;
}
