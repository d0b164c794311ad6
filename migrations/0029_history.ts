import { type Kysely, sql } from 'kysely';

/** Keeps how many jobs of a queue finished in each hour, for whoever looks back, and finds in the audit log what was done to one thing. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE finished_by_hour (
      queue text NOT NULL,
      status text NOT NULL,
      hour timestamptz NOT NULL,
      jobs bigint NOT NULL,
      PRIMARY KEY (queue, status, hour)
    ) WITH (fillfactor = 80)`.execute(db);
  await sql`CREATE INDEX finished_by_hour_old ON finished_by_hour (hour)`.execute(db);
  // Operators ask for what was done to one thing, whosever it is.
  await sql`CREATE INDEX audit_log_by_target ON audit_log (target, id DESC)`.execute(db);
}
