import { type Kysely, sql } from 'kysely';

/** Names the worker that runs each of those services of which an installation needs one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE services (
      name text PRIMARY KEY,
      holder uuid NOT NULL,
      is_able boolean NOT NULL,
      expires_at timestamptz NOT NULL
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`.execute(
    db,
  );
}
