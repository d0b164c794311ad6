import { type Kysely, sql } from 'kysely';

/**
 * Has each worker say how full the memory of the queue engine is, from 0 to 1: the API, which shows the metrics, does not
 * need the engine. Null where nobody knows: the engine does not answer, or the worker is of the version before.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE workers ADD COLUMN engine_fullness real`.execute(db);
}
