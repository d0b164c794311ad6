import { type Kysely, sql } from 'kysely';

/**
 * Has API processes tell whose jobs come most, each in a row of its own, so that the whole can be summed up. It need not outlast a crash.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `CREATE UNLOGGED TABLE hotspots (
         process_id uuid PRIMARY KEY,
         tenants jsonb NOT NULL,
         keys jsonb NOT NULL,
         told_at timestamptz NOT NULL
       )`,
    )
    .execute(db);
}
