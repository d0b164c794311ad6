import { readdirSync } from 'node:fs';
import { MIGRATIONS_DIR, type openTestDatabase } from '@accepted/testing/test-database';
import { type Migration, Migrator } from 'kysely/migration';

export type TestLedger = ReturnType<typeof openTestDatabase>;

/** Brings an empty database to where it was before the migration `name`. */
export async function migrateUpTo(db: TestLedger, name: string): Promise<void> {
  const files = readdirSync(MIGRATIONS_DIR).filter((file) => /^\d+_.*\.ts$/.test(file) && file < name);
  const load = async (file: string): Promise<[string, Migration]> => [
    file.replace('.ts', ''),
    await import(`${MIGRATIONS_DIR}/${file}`),
  ];
  const provider = { getMigrations: async () => Object.fromEntries(await Promise.all(files.map(load))) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error) throw error;
}
