import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, listen, notify } from '@accepted/shared/ledger/connection/notifications';
import { startTcpProxy, type TcpProxy } from '@accepted/testing/tcp-proxy';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';

let database: TestDatabase;
let proxy: TcpProxy;
let url: URL;

beforeEach(async () => {
  database = await createTestDatabase();
  url = new URL(database.url);
  proxy = await startTcpProxy({ target: { host: url.hostname, port: Number(url.port) } });
  url.port = String(proxy.port);
});
afterEach(async () => {
  await proxy.close();
  await database.drop();
});

const ignoreErrors = () => undefined;

async function backendOf(db: Database): Promise<number> {
  const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db);
  if (!rows[0]) throw new Error('Postgres did not say which backend it was.');
  return rows[0].pid;
}

test('a connection whose link went dead is replaced, not kept for the next statement', async () => {
  const db = openDatabase(
    {
      url: url.href,
      applicationName: 'broken-link',
      maxConnections: 1,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 500,
    },
    ignoreErrors,
  );
  const backend = () => backendOf(db);
  const first = await backend();
  proxy.blackhole();
  await expect(backend()).rejects.toThrow('timeout');
  proxy.heal();
  expect(await waitUntil(backend, { until: 'Postgres answers again' })).not.toBe(first);
  await db.destroy();
});

test('one statement without an answer has the connections replaced that were as silent', async () => {
  const size = 4;
  const options = { url: url.href, applicationName: 'broken-link', maxConnections: size };
  const db = openDatabase({ ...options, connectTimeoutMs: 5_000, statementTimeoutMs: 2_000 }, ignoreErrors);
  const backend = async () =>
    (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid, pg_sleep(0.3)`.execute(db)).rows[0]?.pid;
  const allBackends = () => Promise.all(Array.from({ length: size }, backend));
  const before = await allBackends();
  proxy.blackhole();
  await expect(backend()).rejects.toThrow('timeout');
  proxy.heal();
  const after = await waitUntil(allBackends, { until: 'Postgres answers again' });
  expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  await db.destroy();
});

test('one statement without an answer leaves those connections alone that have heard from the server meanwhile', async () => {
  const open = (applicationName: string) =>
    openDatabase(
      {
        url: database.url,
        applicationName,
        maxConnections: 1,
        connectTimeoutMs: 5_000,
        statementTimeoutMs: 500,
      },
      ignoreErrors,
    );
  const [silent, heard] = [open('silent'), open('heard')];
  const frozen = await backendOf(silent);
  const before = await backendOf(heard);
  process.kill(frozen, 'SIGSTOP');
  try {
    const refused = expect(backendOf(silent)).rejects.toThrow('timeout');
    // When the first answer is here, the silent statement has begun for certain.
    for (const _ of ['first', 'second']) await backendOf(heard);
    await refused;
  } finally {
    process.kill(frozen, 'SIGCONT');
  }
  expect(await backendOf(heard)).toBe(before);
  await Promise.all([silent.destroy(), heard.destroy()]);
});

test('a listener whose link was cut hears again', async () => {
  const heard: string[] = [];
  const listener = listen(
    url.href,
    { [CHANNELS.queueHasWork]: (queue) => heard.push(queue) },
    { applicationName: 'broken-link', onError: ignoreErrors },
  );
  const hears = (queue: string) =>
    waitUntil(
      async () => {
        await notify(database.db, CHANNELS.queueHasWork, queue);
        return heard.includes(queue);
      },
      { until: `${queue} is heard` },
    );
  await hears('before');
  expect(proxy.resetAll()).toBeGreaterThan(0);
  await hears('after');
  await listener.close();
});

test('a connection that breaks between two statements of a transaction ends that, and not the process', async () => {
  const told = Promise.withResolvers<Error>();
  const db = openDatabase(
    {
      url: database.url,
      applicationName: 'checked-out',
      maxConnections: 1,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 2_000,
    },
    told.resolve,
  );
  const transaction = db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
    await sql`SELECT pg_terminate_backend(${rows[0]?.pid})`.execute(database.db);
    // Without a listener this 'error' of the connection would end the process.
    expect((await told.promise).message).toMatch(/terminat/);
    await sql`SELECT 1`.execute(tx);
  });
  await expect(transaction).rejects.toThrow();
  await db.destroy();
});
