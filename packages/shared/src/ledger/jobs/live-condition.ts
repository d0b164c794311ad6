import { type RawBuilder, sql } from 'kysely';

/** The condition that a job is in one of the hot tables. Scalar subqueries: an `EXISTS` may be planned as a scan of all. */
export function isLive(tenantId: RawBuilder<unknown>, jobId: RawBuilder<unknown>): RawBuilder<boolean> {
  const isIn = (table: 'ready' | 'due' | 'in_flight') => sql`(
    SELECT true FROM ${sql.table(table)} AS hot WHERE hot.tenant_id = ${tenantId} AND hot.job_id = ${jobId})`;
  return sql<boolean>`coalesce(${isIn('ready')}, ${isIn('in_flight')}, ${isIn('due')}, false)`;
}
