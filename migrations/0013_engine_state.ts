import { type Kysely, sql } from 'kysely';

/** Has each worker say whether it reaches the queue engine: the API, which shows the metrics, does not need the engine. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE workers ADD COLUMN engine_up boolean NOT NULL DEFAULT true`.execute(db);
}
