import { type Kysely, sql } from 'kysely';

/**
 * Has the dispatcher of a queue tell once a second of the types that it holds down: for those who explain waits, and for the next
 * dispatcher, which could not know how quick their handlers usually are.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      'ALTER TABLE queues ADD COLUMN adaptive_limits jsonb, ADD COLUMN adaptive_limits_told_at timestamptz',
    )
    .execute(db);
}
