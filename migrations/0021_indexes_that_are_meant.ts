import { type Kysely, sql } from 'kysely';

/**
 * Lets no lookup by a key take an index that only holds the key behind other columns: while a table is empty each looks as
 * cheap as the others, and a plan that was made then goes through all jobs of a tenant later on. The condition of such an
 * index holds for every row and follows from none, so only who writes it down means that index. Large tables
 * have them from 0017 on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    SELECT relname AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = current_schema()::regnamespace AND indpred IS NULL`.execute(db);
  const unconditional = new Set(rows.map(({ name }) => name));
  for (const [name, on] of Object.entries(INDEXES)) {
    if (!unconditional.has(name)) continue;
    await sql.raw(`DROP INDEX ${name}`).execute(db);
    await sql.raw(`CREATE INDEX ${name} ON ${on}`).execute(db);
  }
}

const INDEXES = {
  dead_letters_by_job: `dead_letters (job_id, id) WHERE CASE WHEN attempts_made >= 0 THEN true ELSE false END`,
  dead_letters_by_tenant: `dead_letters (tenant_id, id DESC) WHERE CASE WHEN attempt >= 0 THEN true ELSE false END`,
  due_by_queue: `due (queue, status, tenant_id) WHERE CASE WHEN priority >= 0 THEN true ELSE false END`,
  jobs_by_type: `jobs (tenant_id, type, id) WHERE CASE WHEN max_attempts > 0 THEN true ELSE false END`,
  jobs_by_queue: `jobs (tenant_id, queue, id) WHERE CASE WHEN timeout_ms > 0 THEN true ELSE false END`,
};
