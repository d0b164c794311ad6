import { type Kysely, sql } from 'kysely';

/**
 * Keeps the webhook secrets of a tenant that were replaced, sealed as the current one is, with the time until which they
 * still sign. The role of tenants may not read them: it is granted single columns of this table.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE tenants ADD COLUMN retired_webhook_secrets jsonb NOT NULL DEFAULT '[]'`.execute(db);
}
