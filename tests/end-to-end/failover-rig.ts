import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { askServer } from '@accepted/testing/ask-server';
import { type PostgresReplica, startPostgresReplica } from '@accepted/testing/postgres-replica';
import { type PostgresServer, startPostgresServer } from '@accepted/testing/postgres-server';
import { startTcpProxy, type TcpProxy } from '@accepted/testing/tcp-proxy';
import { createTestDatabase } from '@accepted/testing/test-database';

const FLAGS = ['-c', 'max_connections=150'];

/** A primary, a replica that every commit waits for, and the one address that clients know. */
export interface Pair extends AsyncDisposable {
  primary: PostgresServer;
  replica: PostgresReplica;
  proxy: TcpProxy;
  databaseName: string;
  /** By way of the proxy. */
  databaseUrl: string;
}

/** Starts both, and a migrated database on them. */
export async function startPair(): Promise<Pair> {
  const primary = await startPostgresServer(FLAGS);
  const database = await createTestDatabase(primary.url);
  await database.db.destroy();
  const url = new URL(database.url);
  const proxy = await startTcpProxy({ target: { host: url.hostname, port: primary.port } });
  const replica = await startPostgresReplica(primary, FLAGS);
  await replica.makeSynchronous();
  url.port = String(proxy.port);
  return {
    primary,
    replica,
    proxy,
    databaseName: url.pathname.slice(1),
    databaseUrl: url.href,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await Promise.all([primary[Symbol.asyncDispose](), replica[Symbol.asyncDispose]()]);
    },
  };
}

/** Asks for a row in the ledger of one of the two servers. */
async function ledger<Row extends object>(server: PostgresServer, pair: Pair, query: string): Promise<Row[]> {
  const url = new URL(server.url);
  url.pathname = `/${pair.databaseName}`;
  return await askServer<Row>({ url: url.href }, query);
}

/** Reads the workers out of the ledger of one of the two. */
export const workersIn = (server: PostgresServer, pair: Pair) =>
  ledger<{ id: string; isLost: boolean; silentMs: number }>(
    server,
    pair,
    `SELECT id, lost_at IS NOT NULL AS "isLost",
       (extract(epoch FROM clock_timestamp() - heartbeat_at) * 1000)::float8 AS "silentMs" FROM workers`,
  );

/** Names the sessions to the ledger of one of the two. */
export async function sessionsTo(server: PostgresServer, { databaseName }: Pair): Promise<string[]> {
  const rows = await askServer<{ name: string }>(
    server,
    'SELECT application_name AS name FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
    [databaseName],
  );
  return rows.map(({ name }) => name);
}

/** Takes webhooks, and remembers their ids. */
export async function startReceiver() {
  const received: string[] = [];
  const server = createServer((request, response) => {
    received.push(request.headers['webhook-id'] as string);
    request.resume().on('end', () => response.writeHead(204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, received, [Symbol.dispose]: () => void server.close() };
}

/** Stops a server and all its processes (SIGSTOP): connections stay open and nothing is answered. */
export async function freeze(server: PostgresServer): Promise<Disposable> {
  const processes = await askServer<{ pid: number }>(server, 'SELECT pid FROM pg_stat_activity');
  // The postmaster first: it would start new backends.
  const frozen = [server.pid, ...processes.map(({ pid }) => pid)];
  for (const pid of frozen) signal(pid, 'SIGSTOP');
  return {
    [Symbol.dispose]() {
      for (const pid of frozen) signal(pid, 'SIGCONT');
    },
  };
}

/** A process may have ended since. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
