import { type Kysely, sql } from 'kysely';
import { TAKE_LIMITED_JOBS } from './0027_limits.ts';

/**
 * Lets no lookup of a job take the index of `blocked` by lines, for the reason that 0021 gives: a plan that was made while nothing
 * was blocked went through all of it later on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    'DROP INDEX blocked_in_order',
    `CREATE INDEX blocked_in_order
       ON blocked (queue, tenant_id, concurrency_key, type, refused_by, priority, is_new, placed_by, job_id)
       WHERE CASE WHEN attempt >= 0 THEN true ELSE false END`,
    TAKE_LIMITED_JOBS,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
