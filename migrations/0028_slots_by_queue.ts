import { type Kysely, sql } from 'kysely';

/** Lets a worker have another number of slots for some queues: deliveries of webhooks cost it less than jobs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE workers ADD COLUMN slots_by_queue jsonb NOT NULL DEFAULT '{}'`.execute(db);
}
