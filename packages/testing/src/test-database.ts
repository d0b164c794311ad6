import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { migrateEngine } from '@accepted/shared/engine/migrate-engine';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import pg from 'pg';
import { inject } from 'vitest';
import { type PostgresKind, postgresFor } from './postgres-server.ts';

export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations', import.meta.url));

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrls: Record<PostgresKind, string>;
  }
}

const TEMPLATE = 'accepted_template';

export interface TestDatabase {
  url: string;
  db: Database;
  /** Closes `db`, ends everybody else's connections and drops the database. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a fresh, migrated database in the server that the test run shares for this engine (`postgresFor`), the one of
 * Redis' engine for a test that has none; a string is the URL of another server.
 *
 * It is a copy of a template that was migrated once, which takes tens of milliseconds.
 */
export async function createTestDatabase(
  on: string | { engine: 'redis' | 'postgres' } = { engine: 'redis' },
): Promise<TestDatabase> {
  const server = typeof on === 'string' ? on : inject('postgresUrls')[postgresFor(on.engine)];
  if (typeof on === 'string') await prepareTemplate(server);
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runOnServer(server, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  const url = databaseUrl(server, name);
  const db = openTestDatabase(url);
  const drop = async () => {
    await db.destroy();
    await runOnServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
  };
  return { url, db, drop, [Symbol.asyncDispose]: drop };
}

/** Opens one more pool on a database of the tests. */
export function openTestDatabase(url: string, maxConnections = 10): Database {
  return openDatabase(
    {
      url,
      applicationName: 'accepted-tests',
      maxConnections,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 30_000,
    },
    // Tests crash servers and drop databases under idle connections.
    () => undefined,
  );
}

/** Makes the migrated template that the databases of the tests are copies of. */
export async function prepareTemplate(serverUrl: string): Promise<void> {
  const url = databaseUrl(serverUrl, TEMPLATE);
  await runOnServer(serverUrl, `CREATE DATABASE ${TEMPLATE}`);
  await migrateLedger(url, MIGRATIONS_DIR);
  await migrateEngine(url);
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function runOnServer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
