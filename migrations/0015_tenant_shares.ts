import { type Kysely, sql } from 'kysely';

/**
 * Counts what a tenant has waiting in a queue, and finds what has waited the longest, without reading what others have. A
 * job is in the first of these indexes until it is dispatched; most are never in the second.
 *
 * The condition of the second is written so that it follows from no other: for want of statistics the planner would
 * rather take the index of all due jobs, which is smaller, and read all of that.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    `CREATE INDEX jobs_ready_by_age ON jobs (queue, tenant_id, run_at)
       WHERE status = 'queued' AND dispatched_at IS NULL`,
    `CREATE INDEX jobs_later ON jobs (queue, status, tenant_id)
       WHERE CASE WHEN status IN ('scheduled', 'retrying') THEN true ELSE false END`,
  ])
    await sql.raw(statement).execute(db);
}
