import { type Kysely, sql } from 'kysely';

/** A job that waits between its attempts as all do by default says nothing of it: that was a fifth of its row. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE jobs ALTER COLUMN backoff DROP NOT NULL`.execute(db);
}
