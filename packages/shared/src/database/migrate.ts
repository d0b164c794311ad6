import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Kysely, PostgresDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';

/**
 * Brings the ledger up to the newest migration in `migrationsDir` and returns the names of those that it ran.
 *
 * All of them run in one transaction under Kysely's advisory lock, so any number of processes may call this at once:
 * one works, the others wait and then find nothing to do. Throws when a migration fails or an old one is missing.
 */
export async function migrateLedger(databaseUrl: string, migrationsDir: string): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: 5_000 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const provider = { getMigrations: () => loadMigrations(migrationsDir) };
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
    if (error) throw error;
    return (results ?? []).map((result) => result.migrationName);
  } finally {
    await db.destroy();
  }
}

/** Reads the folder like Kysely's own provider, but by file URL: a `%` or `#` in the path would mislead that. */
async function loadMigrations(folder: string): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((file) => /^\d+_.*\.ts$/.test(file));
  const load = async (file: string): Promise<[string, Migration]> => [
    file.slice(0, -'.ts'.length),
    await import(pathToFileURL(join(folder, file)).href),
  ];
  return Object.fromEntries(await Promise.all(files.map(load)));
}
