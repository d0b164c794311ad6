import { type Kysely, sql } from 'kysely';

/** A worker of before would not know how long such a job waits: its attempts could not be decided. */
export const major = 3;

/** A job that waits between its attempts as all do by default says nothing of it: that was a fifth of its row. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE jobs ALTER COLUMN backoff DROP NOT NULL`.execute(db);
}
