import { type Kysely, sql } from 'kysely';

/**
 * Lets an idempotency key stand for what is no new job: `answer` has what the first answer can be made of again. `status` is
 * the HTTP status of the first answer; NULL while nobody was answered. The bound holds for what is written from now on:
 * checking what is there would lock a table in which there is no answer yet.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    `ALTER TABLE idempotency_keys
       ALTER COLUMN job_id DROP NOT NULL,
       ADD COLUMN status smallint,
       ADD COLUMN answer json`,
    `ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_small_answers
       CHECK (octet_length(answer::text) <= 4096) NOT VALID`,
  ])
    await sql.raw(statement).execute(db);
}
