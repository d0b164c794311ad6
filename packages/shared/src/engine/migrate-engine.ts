import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  runMigrations,
  SchemaMigrationRequiredError,
} from 'bullmq';
import type pg from 'pg';
import { withSettings } from '../ledger/connection/session-settings.ts';
import { SettledClient } from '../ledger/connection/settled-client.ts';

/**
 * Brings the schema of BullMQ's Postgres engine up to date; nothing may connect to that engine before.
 *
 * BullMQ takes an advisory lock and works in one transaction, so several at once are safe. Returns the version.
 */
export function migrateEngine(databaseUrl: string): Promise<number> {
  return withClient(databaseUrl, (client) => runMigrations(client));
}

/**
 * Throws an error that says what to do when the schema of BullMQ's Postgres engine is not the one that this version
 * needs; BullMQ itself looks only whether there is one. Rejects as well when Postgres does not answer.
 */
export async function requireEngineSchema(databaseUrl: string): Promise<void> {
  const version = await withClient(databaseUrl, readVersion);
  if (version >= LATEST_SCHEMA_VERSION) return;
  throw new Error(
    `The schema of the queue engine is version ${version}, and this version of Accepted needs ${LATEST_SCHEMA_VERSION}: run \`npm run migrate\`.`,
  );
}

async function readVersion(client: pg.Client): Promise<number> {
  try {
    return await assertSchemaCompatibility(client);
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0;
    throw error;
  }
}

async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new SettledClient({
    connectionString: withSettings(databaseUrl),
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
