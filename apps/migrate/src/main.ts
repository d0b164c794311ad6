import { fileURLToPath } from 'node:url';
import { migrateEngine } from '@accepted/shared/engine/migrate-engine';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { readConfig } from './config.ts';

const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** Brings both schemas of the database up to date: the ledger's and that of BullMQ's Postgres engine. */
async function main(): Promise<void> {
  const { DATABASE_URL } = readConfig();
  const { ran, version } = await migrateLedger(DATABASE_URL, MIGRATIONS_DIR);
  const engineVersion = await migrateEngine(DATABASE_URL);
  const did = ran.length ? `ran ${ran.join(', ')}` : 'nothing to do';
  process.stdout.write(`Ledger: ${did}; its schema is ${version.major}.${version.minor}\n`);
  process.stdout.write(`Queue engine: schema version ${engineVersion}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
