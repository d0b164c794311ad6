import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@accepted/testing/wait-until';
import type { LightMyRequestResponse } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { divide, type Group } from '../src/pools/pool-sizes.ts';
import { cookieOf, logIn, PAGE, PASSWORD } from './admin-under-test.ts';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

const CROWD = 40;
const CONNECTIONS = 20;
const SIZES = divide(CONNECTIONS);

let api: ApiUnderTest;
let jobId: string;
let board: Record<string, string>;
beforeAll(async () => {
  api = await startApi({ ADMIN_PASSWORD: PASSWORD, DATABASE_POOL_SIZE: String(CONNECTIONS) });
  jobId = await api.submit();
  board = { ...PAGE, ...cookieOf(await logIn(api, PASSWORD)) };
  // What is looked up once and remembered is not what this is about.
  for (const ask of Object.values(ASK)) expect((await ask()).statusCode).toBeLessThan(300);
});
afterAll(() => api[Symbol.asyncDispose]());

const submit = () => api.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {} } });
const audit = () => api.send('GET', '/v1/audit-log');
const attempts = () => api.send('GET', `/v1/jobs/${jobId}/attempts`);

/** What each group is asked for, that of the others being locked. */
const ASK = {
  submit,
  read: () => api.send('GET', '/v1/job-types'),
  list: () => api.send('GET', '/v1/dead-letters'),
  tenants: () => api.send('GET', '/v1/tenants'),
  keys: () => api.send('GET', '/v1/api-keys'),
  board: () => api.app.inject({ url: '/admin/queues/api/queues', headers: board }),
  health: () => api.send('GET', '/readyz', { key: null }),
} satisfies Record<string, () => Promise<LightMyRequestResponse>>;

/** Counts the connections of a group that wait for a lock. */
async function waitingFor(group: Group): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
      AND application_name = ${`accepted-api-${group}`}`.execute(api.db);
  return rows[0]?.count ?? 0;
}

/** Locks a table, sends as many requests for it as want all connections of a group, and does something meanwhile. */
async function whileHeldUp(
  { table, mode, ask, group, connections }: Blocked,
  work: () => Promise<void>,
): Promise<void> {
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE ${sql.table(table)} IN ${sql.raw(mode)} MODE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;
  const crowd = Promise.all(Array.from({ length: CROWD }, (_, place) => ask(place)));
  try {
    await waitUntil(async () => (await waitingFor(group)) >= connections, {
      until: `${connections} connections of ${group} wait`,
    });
    await work();
  } finally {
    release();
    await locker;
    await crowd;
  }
}

interface Blocked {
  table: string;
  mode: 'SHARE' | 'ACCESS EXCLUSIVE';
  /** Is asked by each of the crowd, in its place. */
  ask: (place: number) => Promise<unknown>;
  group: Group;
  connections: number;
}

/** One after the other, so that they make several batches: those that take long let others pass, until no connection is left. */
async function submitInTurn(place: number): Promise<void> {
  await delay(30 * place);
  await submit();
}

const SUBMITS: Blocked = {
  ...{ table: 'jobs', mode: 'SHARE', ask: submitInTurn },
  ...{ group: 'submit', connections: SIZES.submit },
};
const READS: Blocked = {
  ...{ table: 'attempts', mode: 'ACCESS EXCLUSIVE', ask: attempts },
  ...{ group: 'read', connections: SIZES.read - 1 },
};
const ADMINS: Blocked = {
  ...{ table: 'audit_log', mode: 'ACCESS EXCLUSIVE', ask: audit },
  ...{ group: 'admin', connections: SIZES.admin - 1 },
};

async function expectInTime(asked: (keyof typeof ASK)[]): Promise<void> {
  for (const name of asked) {
    const beganMs = performance.now();
    const reply = await ASK[name]();
    expect([name, reply.statusCode]).toEqual([name, name === 'submit' ? 202 : 200]);
    expect(performance.now() - beganMs).toBeLessThan(1_000);
  }
}

test('while new jobs hold all of their connections, all else is answered', async () => {
  await whileHeldUp(SUBMITS, () => expectInTime(['read', 'list', 'tenants', 'keys', 'board', 'health']));
});

test('while readers hold all of theirs', async () => {
  await whileHeldUp(READS, () => expectInTime(['submit', 'tenants', 'keys', 'board', 'health']));
});

test('while operators hold theirs', async () => {
  await whileHeldUp(ADMINS, () => expectInTime(['submit', 'read', 'list', 'health']));
});

test('while all of them do, health is told, and a key that nobody has used yet is known', async () => {
  const { key } = (
    await api.send('POST', '/v1/api-keys', { body: { name: 'new', scopes: ['jobs:read'] } })
  ).json();
  const bothHeldUp = (work: () => Promise<void>) => whileHeldUp(READS, () => whileHeldUp(ADMINS, work));
  await whileHeldUp(SUBMITS, () =>
    bothHeldUp(async () => {
      await expectInTime(['health']);
      const beganMs = performance.now();
      expect((await api.send('GET', '/v1/jobs/job_none', { key })).statusCode).toBe(404);
      expect((await api.send('GET', '/v1/tenants', { key })).statusCode).toBe(403);
      expect(performance.now() - beganMs).toBeLessThan(1_000);
    }),
  );
});
