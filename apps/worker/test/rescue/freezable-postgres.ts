import { type PostgresServer, startPostgresServer } from '@accepted/testing/postgres-server';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';

/** A ledger on a Postgres of its own, whose every process a test may stop and continue. */
export interface FreezablePostgres {
  database: TestDatabase;
  /** Stops it from answering while its connections stay open (SIGSTOP); what is sent meanwhile waits in the sockets. */
  freeze(): Promise<void>;
  thaw(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startFreezablePostgres(): Promise<FreezablePostgres> {
  const server = await startPostgresServer(['-c', 'max_connections=200']);
  const database = await createTestDatabase(server.url);
  let frozen: number[] = [];
  const thaw = () => {
    for (const pid of frozen.splice(0)) signal(pid, 'SIGCONT');
  };
  return {
    database,
    async freeze() {
      // The postmaster first: it would start new backends.
      frozen = [server.pid, ...(await backendsOf(database))];
      for (const pid of frozen) signal(pid, 'SIGSTOP');
    },
    thaw,
    async [Symbol.asyncDispose]() {
      thaw();
      await end(server, database);
    },
  };
}

async function backendsOf({ db }: TestDatabase): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`SELECT pid FROM pg_stat_activity`.execute(db);
  return rows.map((row) => row.pid);
}

/** A backend may have ended since. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function end(server: PostgresServer, database: TestDatabase): Promise<void> {
  await database.db.destroy();
  await server[Symbol.asyncDispose]();
}
