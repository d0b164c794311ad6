import { type Kysely, sql } from 'kysely';

/**
 * Gives the questions that workers ask of small tables an index. Their connections take a scan only for want of one, and
 * up to PostgreSQL 17 such a plan counts as so dear that the server compiles it at each call where JIT is on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    // `IS NULL` as well: who is live. Heartbeats do not change it, so they stay HOT.
    'CREATE INDEX workers_by_lost_at ON workers (lost_at)',
    'CREATE INDEX bulk_replays_finished ON bulk_replays (finished_at) WHERE finished_at IS NOT NULL',
  ])
    await sql.raw(statement).execute(db);
}
