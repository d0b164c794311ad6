import { type Kysely, sql } from 'kysely';

/**
 * Has workers tell how quick they are, and keeps which of them rest for being slow. Has API processes tell whose jobs come most, each in a
 * row of its own, so that the whole can be summed up; that need not outlast a crash.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `ALTER TABLE workers ADD COLUMN handler_ms jsonb NOT NULL DEFAULT '{}', ADD COLUMN loop_late_ms real NOT NULL DEFAULT 0,
       ADD COLUMN slow_since timestamptz`,
    `CREATE UNLOGGED TABLE hotspots (
       process_id uuid PRIMARY KEY,
       tenants jsonb NOT NULL,
       keys jsonb NOT NULL,
       told_at timestamptz NOT NULL
     )`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
