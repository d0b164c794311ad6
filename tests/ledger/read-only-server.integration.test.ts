import {
  type Database,
  isDatabaseUnavailable,
  openDatabase,
} from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, listen, notify } from '@accepted/shared/ledger/connection/notifications';
import { pingDatabase } from '@accepted/shared/ledger/connection/ping';
import { countSessions, setReadOnly } from '@accepted/testing/ask-server';
import { type PostgresServer, startPostgresServer } from '@accepted/testing/postgres-server';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const POOL_SIZE = 4;

let server: PostgresServer;
const open: { destroy(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
  await sql`CREATE TABLE written (value int)`.execute(openPool('setup'));
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.destroy();
  await setReadOnly(server, false);
});
afterAll(async () => await server[Symbol.asyncDispose]());

function openPool(applicationName: string): Database {
  const options = { url: server.url, applicationName, maxConnections: POOL_SIZE };
  const db = openDatabase(
    { ...options, connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 },
    () => undefined,
  );
  open.push(db);
  return db;
}

const write = (db: Database) => sql`INSERT INTO written VALUES (1)`.execute(db);

/** Opens every session that the pool may have. */
async function fill(db: Database): Promise<void> {
  await Promise.all(Array.from({ length: POOL_SIZE }, () => sql`SELECT pg_sleep(0.3)`.execute(db)));
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Sooner than a pool ends the sessions that it does not need. */
const isGone = (applicationName: string) =>
  waitUntil(async () => (await countSessions(server, applicationName)) === 0, {
    until: `no session of ${applicationName} is left`,
    timeoutMs: 3_000,
  });

test('one write that a read-only server refuses has every session of the process to it dropped', async () => {
  const [db, other] = [openPool('one'), openPool('other')];
  await Promise.all([fill(db), fill(other)]);
  await setReadOnly(server, true);

  const refusal = await failureOf(write(db));

  expect(refusal).toMatchObject({ code: '25006' });
  expect(isDatabaseUnavailable(refusal)).toBe(true);
  await isGone('one');
  await isGone('other');
});

test('in a transaction too, and the caller learns what the server has said', async () => {
  const db = openPool('transaction');
  await fill(db);
  await setReadOnly(server, true);
  const refusal = await failureOf(
    db.transaction().execute(async (tx) => {
      await sql`SELECT 1`.execute(tx);
      await write(tx);
    }),
  );
  expect(refusal).toMatchObject({ code: '25006', message: expect.stringMatching(/read-only transaction/) });
  await isGone('transaction');
});

test('a transaction that began before comes to its end, and its session is dropped then', async () => {
  const db = openPool('began');
  await fill(db);
  await db.transaction().execute(async (tx) => {
    await write(tx);
    await setReadOnly(server, true);
    expect(await failureOf(write(db))).toMatchObject({ code: '25006' });
    await write(tx);
  });
  await isGone('began');
});

test('a connection that lands on a read-only server is refused, until the server takes writes', async () => {
  await setReadOnly(server, true);
  const db = openPool('late');
  const refusal = await failureOf(sql`SELECT 1`.execute(db));
  expect(refusal).toMatchObject({ code: '25006' });
  expect(isDatabaseUnavailable(refusal)).toBe(true);
  expect(await failureOf(pingDatabase(db))).toMatchObject({ code: '25006' });

  await setReadOnly(server, false);
  await write(db);
  await pingDatabase(db);
});

test('without any write a listener finds out within two seconds, for those who only read as well', async () => {
  const db = openPool('reader');
  const heard: string[] = [];
  const listener = listen(
    server.url,
    { [CHANNELS.queueHasWork]: (queue) => heard.push(queue) },
    { applicationName: 'listener', onError: () => undefined },
  );
  open.push({ destroy: () => listener.close() });
  await waitUntil(async () => (await countSessions(server, 'listener')) === 1, { until: 'it listens' });
  await fill(db);
  await setReadOnly(server, true);

  const startedAt = performance.now();
  const isFound = async () => {
    const refusal = await failureOf(sql`SELECT 1`.execute(db));
    return isDatabaseUnavailable(refusal);
  };
  await waitUntil(isFound, { until: 'a reader is refused' });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await isGone('reader');

  await setReadOnly(server, false);
  const hears = async () => {
    await notify(db, CHANNELS.queueHasWork, 'again');
    return heard.includes('again');
  };
  await waitUntil(hears, { until: 'the listener hears again', timeoutMs: 3_000 });
});
