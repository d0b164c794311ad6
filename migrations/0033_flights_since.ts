import { type Kysely, sql } from 'kysely';
import { TAKE_LIMITED_JOBS } from './0027_limits.ts';

/**
 * Lets a dispatcher count what is in flight from the eldest flight on: who holds slots, or is of a limited type or tenant, is found
 * without a step over rows that are gone, but that a long snapshot keeps.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    'ALTER TABLE in_flight ADD COLUMN dispatched_by xid8 NOT NULL DEFAULT pg_current_xact_id()',
    'DROP INDEX in_flight_by_queue, in_flight_by_key',
    `CREATE INDEX in_flight_by_queue ON in_flight (queue, dispatched_by)
       WHERE CASE WHEN priority >= 0 THEN true ELSE false END`,
    `CREATE INDEX in_flight_by_key ON in_flight (tenant_id, concurrency_key, dispatched_by)
       WHERE concurrency_key IS NOT NULL`,
    // Dispatchers of before call the one that comes now without what they do not know.
    'DROP FUNCTION IF EXISTS take_limited_jobs(text, bigint, json, json)',
    TAKE_LIMITED_JOBS,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
