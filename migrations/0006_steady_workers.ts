import { type Kysely, sql } from 'kysely';

/** Remembers since when a worker's heartbeats have gone through without a gap, by the clock of Postgres. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE workers ADD COLUMN steady_since timestamptz NOT NULL DEFAULT now()`.execute(db);
}
