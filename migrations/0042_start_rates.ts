import { type Kysely, sql } from 'kysely';

/** Bounds how many jobs of a queue or a type are started a second. Dispatchers are lent tokens out of the buckets that rates of tenants have as well. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['queues', 'job_type_rules'])
    await sql
      .raw(`ALTER TABLE ${table} ADD COLUMN rate_per_second real CHECK (rate_per_second > 0)`)
      .execute(db);
}
