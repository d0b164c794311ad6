import { runMigrations } from 'bullmq';
import pg from 'pg';

/**
 * Brings the schema of BullMQ's Postgres engine up to date; nothing may connect to that engine before.
 *
 * BullMQ takes an advisory lock and works in one transaction, so several at once are safe. Returns the version.
 */
export async function migrateEngine(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await runMigrations(client);
  } finally {
    await client.end();
  }
}
