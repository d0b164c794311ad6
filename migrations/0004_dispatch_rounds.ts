import { type Kysely, sql } from 'kysely';

/** Numbers the turns of a queue's dispatchers, so that of two that chose at once only one may mark what it chose. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE queues ADD COLUMN dispatch_round bigint NOT NULL DEFAULT 0`.execute(db);
}
