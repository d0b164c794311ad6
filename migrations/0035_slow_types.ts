import { type Kysely, sql } from 'kysely';

/**
 * Lets workers tell of which types the handlers that they run hang: dispatchers hear how long handlers took that have ended, and from these
 * nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE workers ADD COLUMN slow_types text[] NOT NULL DEFAULT '{}'`.execute(db);
}
