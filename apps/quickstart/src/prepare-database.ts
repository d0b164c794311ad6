import { join } from 'node:path';
import { startEmbeddedPostgres } from '@accepted/embedded-postgres/start-embedded-postgres';
import { migrateEngine } from '@accepted/shared/engine/migrate-engine';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { WORKSPACE } from './config.ts';
import { reasonOf, StartError } from './start-error.ts';

export interface PreparedServer {
  url: string;
  stop(): Promise<void>;
}

/** Starts the embedded PostgreSQL over the data in `stateDir`. */
export async function startDatabase(stateDir: string): Promise<PreparedServer> {
  try {
    return await startEmbeddedPostgres({ dataDir: join(stateDir, 'postgres') });
  } catch (error) {
    throw new StartError(reasonOf(error), { cause: error });
  }
}

/** Brings the database up to date; where it is the user's own, says what may be wrong with that. */
export async function migrate(url: string, isUsersOwn: boolean): Promise<void> {
  try {
    await migrateLedger(url, join(WORKSPACE, 'migrations'));
    await migrateEngine(url);
  } catch (error) {
    if (!isUsersOwn) throw error;
    throw new StartError(
      `The database at DATABASE_URL cannot be used (${reasonOf(error)}): correct DATABASE_URL, or unset it to use the embedded PostgreSQL`,
      { cause: error },
    );
  }
}
