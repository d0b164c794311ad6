import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { tellConnectionErrors } from './connect.ts';
import { judgeSchema, readSchemaVersion, type SchemaVersion } from './schema-version.ts';
import { withSettings } from './session-settings.ts';
import { SettledClient } from './settled-client.ts';
import type { Ledger } from './tables.ts';

/** A file of the migrations' folder. One after which the code of before must not touch the ledger exports its `major`. */
interface MigrationFile extends Migration {
  /**
   * The major version that this migration begins. Running programs of the version before find out within a second; what
   * they write until then must fail in Postgres, so such a migration renames or drops what they write to.
   */
  major?: number;
}

/** What `migrateLedger` found and did. */
export interface Migrated {
  /** The names of the migrations that were run. */
  ran: string[];
  version: SchemaVersion;
}

/** A server that has only just started on a busy machine may take its time, and nobody waits for a request here. */
const CONNECT_TIMEOUT_MS = 30_000;

/**
 * Brings the ledger up to the newest migration in `migrationsDir`. One that is newer within the same major version is
 * left as it is, as after an upgrade that was rolled back.
 *
 * All of them run in one transaction under Kysely's advisory lock, so any number of processes may call this at once:
 * one works, the others wait and then find nothing to do. Throws when a migration fails, an old one is missing, or the
 * ledger has a newer major version.
 */
export async function migrateLedger(databaseUrl: string, migrationsDir: string): Promise<Migrated> {
  const pool = new pg.Pool({
    Client: SettledClient,
    connectionString: withSettings(databaseUrl),
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // Whoever waits for an answer is told by that; a connection that breaks beside it must not end the process.
  tellConnectionErrors(pool, () => undefined);
  const db = new Kysely<Ledger>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrations = await loadMigrations(migrationsDir);
    const newest = newestVersion(migrations);
    const found = await readSchemaVersion(db);
    if (!found) await refuseSecondLedger(db);
    const mismatch = judgeSchema(found, newest);
    if (mismatch?.kind === 'ahead') throw new Error(mismatch.message);
    if (found && found.minor > newest.minor) return { ran: [], version: found };
    const provider = { getMigrations: async () => keepingVersion(migrations) };
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
    if (error) throw error;
    return { ran: (results ?? []).map((result) => result.migrationName), version: newest };
  } finally {
    await db.destroy();
  }
}

/** A ledger that was made by a role with a `search_path` of its own would not be seen, and an empty one made beside it. */
async function refuseSecondLedger(db: Kysely<Ledger>): Promise<void> {
  const { rows } = await sql<{ schema: string }>`
    SELECT nspname AS schema FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relname = 'idempotency_keys' AND NOT pg_table_is_visible(pg_class.oid)
      AND EXISTS (SELECT FROM pg_class AS jobs WHERE jobs.relnamespace = pg_namespace.oid AND jobs.relname = 'dead_letters')
    LIMIT 1`.execute(db);
  const [ledger] = rows;
  if (!ledger) return;
  throw new Error(
    `There is a ledger in the schema "${ledger.schema}", where connections do not look: add ?options=-c%20search_path%3D${ledger.schema} to DATABASE_URL.`,
  );
}

/** Reads the folder like Kysely's own provider, but by file URL: a `%` or `#` in the path would mislead that. */
async function loadMigrations(folder: string): Promise<[name: string, file: MigrationFile][]> {
  const files = (await readdir(folder)).filter((file) => /^\d+_.*\.ts$/.test(file)).sort();
  const load = async (file: string): Promise<[string, MigrationFile]> => [
    file.slice(0, -'.ts'.length),
    await import(pathToFileURL(join(folder, file)).href),
  ];
  return Promise.all(files.map(load));
}

/** Before this migration there is nowhere to keep a version. */
const FIRST_WITH_VERSION = 7;

/** Has each migration leave the version that it makes behind, in its own transaction. */
function keepingVersion(migrations: [string, MigrationFile][]): Record<string, Migration> {
  let major = 1;
  const wrap = ([name, file]: [string, MigrationFile]): [string, Migration] => {
    major = file.major ?? major;
    const version = { major, minor: numberOf(name) };
    return [name, { up: (db) => file.up(db).then(() => keepVersion(db, version)) }];
  };
  return Object.fromEntries(migrations.map(wrap));
}

async function keepVersion(db: Kysely<unknown>, { major, minor }: SchemaVersion): Promise<void> {
  if (minor < FIRST_WITH_VERSION) return;
  await sql`
    INSERT INTO schema_version (major, minor) VALUES (${major}, ${minor})
    ON CONFLICT (is_only_row) DO UPDATE SET major = excluded.major, minor = excluded.minor`.execute(db);
}

function newestVersion(migrations: [string, MigrationFile][]): SchemaVersion {
  const major = migrations.reduce((last, [, file]) => file.major ?? last, 1);
  return { major, minor: numberOf(migrations.at(-1)?.[0] ?? '0') };
}

function numberOf(name: string): number {
  return Number.parseInt(name, 10);
}
