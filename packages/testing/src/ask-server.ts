import pg from 'pg';
import type { PostgresServer } from './postgres-server.ts';
import { waitUntil } from './wait-until.ts';

type Address = Pick<PostgresServer, 'url'>;

/** Asks a server on a connection of its own, as superuser; also a standby, and one that is read-only. */
export async function askServer<Row extends pg.QueryResultRow>(
  server: Address,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = await connectTo(server);
  try {
    return (await client.query<Row>(statement, values)).rows;
  } finally {
    await client.end();
  }
}

/** Opens a connection for several statements; one that breaks does not end the process. */
export async function connectTo(server: Address): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Has a server refuse writes, as one that was demoted does, or take them again; sessions stay open, and answer so. */
export async function setReadOnly(server: Address, isReadOnly: boolean): Promise<void> {
  const value = isReadOnly ? 'on' : 'off';
  await askServer(server, `ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await askServer(server, 'SELECT pg_reload_conf()');
  const isSet = async () => {
    const [row] = await askServer<{ value: string }>(server, 'SHOW default_transaction_read_only', []);
    return Object.values(row ?? {})[0] === value;
  };
  await waitUntil(isSet, { until: `default_transaction_read_only is ${value}` });
}

/** Counts the sessions whose `application_name` is like a pattern of SQL. */
export async function countSessions(server: Address, applicationName: string): Promise<number> {
  const [row] = await askServer<{ count: number }>(
    server,
    'SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name LIKE $1',
    [applicationName],
  );
  return row?.count ?? 0;
}
