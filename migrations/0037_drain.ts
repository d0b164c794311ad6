import { type Kysely, sql } from 'kysely';

/** Has the dispatcher of a queue tell once a second how many jobs of it can be started a second, for those who foresee waits. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw('ALTER TABLE queues ADD COLUMN drain_per_second real, ADD COLUMN drain_told_at timestamptz')
    .execute(db);
}
