import { type PostgresServer, startPostgresServer } from '@accepted/testing/postgres-server';
import { waitUntil } from '@accepted/testing/wait-until';
import type { LightMyRequestResponse } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, countJobs, runJob, startApi } from './api-under-test.ts';

let server: PostgresServer;
let api: ApiUnderTest;
beforeAll(async () => {
  server = await startPostgresServer();
  api = await startApi({}, server.url);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const submit = async (key: string) =>
  await api.send('POST', '/v1/jobs', {
    body: { type: 'test.echo', payload: { key } },
    headers: { 'idempotency-key': key },
  });

async function expectUnavailableWithinASecond(request: () => Promise<LightMyRequestResponse>): Promise<void> {
  const started = performance.now();
  const reply = await request();
  expect([reply.statusCode, reply.json().code]).toEqual([503, 'database_unavailable']);
  expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(performance.now() - started).toBeLessThan(1_000);
}

test('when the insert hangs, the caller gets a 503 within a second, and its retry gets the job that was written', async () => {
  expect((await submit('warm-up')).statusCode).toBe(202);
  const before = await countJobs(api.db);
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE jobs IN SHARE MODE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;

  await expectUnavailableWithinASecond(() => submit('hung'));
  release();
  await locker;
  await waitUntil(async () => (await countJobs(api.db)) === before + 1, {
    until: 'the insert went on and committed',
  });

  const retried = await submit('hung');
  expect(retried.statusCode).toBe(202);
  expect(retried.headers['idempotent-replayed']).toBe('true');
  expect(await countJobs(api.db)).toBe(before + 1);
});

test('when the lookup of a key hangs, the caller gets a 503 within a second', async () => {
  const created = await api.send('POST', '/v1/api-keys', { body: { name: 'fresh', scopes: ['jobs:read'] } });
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;
  await expectUnavailableWithinASecond(() => api.send('GET', '/v1/jobs', { key: created.json().key }));
  release();
  await locker;
});

test('a server that knows the caller, but has not read the catalog yet, answers 503 when Postgres goes', async () => {
  await using ownServer = await startPostgresServer();
  await using cold = await startApi({}, ownServer.url);
  expect((await cold.send('GET', '/v1/jobs')).statusCode).toBe(200);
  await ownServer.stop('immediate');

  const body = { type: 'test.echo', payload: {} };
  await expectUnavailableWithinASecond(() => cold.send('POST', '/v1/jobs', { body })).finally(() =>
    ownServer.start(),
  );
});

test('a Postgres that is gone is a 503 within a second everywhere, and when it is back jobs are accepted again', async () => {
  const before = await countJobs(api.db);
  const { id } = (await submit('known')).json();
  await server.stop('immediate');

  for (let index = 0; index < 5; index += 1)
    await expectUnavailableWithinASecond(() => submit(`gone-${index}`));
  await expectUnavailableWithinASecond(() => api.send('GET', `/v1/jobs/${id}`));
  await expectUnavailableWithinASecond(() => api.send('GET', '/v1/jobs'));
  await expectUnavailableWithinASecond(() => api.send('GET', '/readyz'));
  expect((await api.send('GET', '/livez')).statusCode).toBe(200);

  await server.start();
  const reply = await waitUntil(
    async () => {
      const answer = await submit('back');
      return answer.statusCode === 202 ? answer : undefined;
    },
    { until: 'a job is accepted again', timeoutMs: 20_000 },
  );
  expect(reply.json().status).toBe('queued');
  expect((await api.send('GET', '/readyz')).statusCode).toBe(200);
  expect(await countJobs(api.db)).toBe(before + 2);
});

test('a job that was accepted keeps its 202 when Postgres dies while the caller waits for the end', async () => {
  await using ownServer = await startPostgresServer();
  await using waitedFor = await startApi({}, ownServer.url);
  await waitedFor.submit();
  const reply = waitedFor.send('POST', '/v1/jobs', {
    body: { type: 'test.echo', payload: {} },
    headers: { prefer: 'wait=2' },
  });
  await waitUntil(() => waitedFor.app.jobWaiter.count() === 1, {
    until: 'the job is written and waited for',
  });
  await ownServer.stop('immediate');
  const { statusCode, headers, body } = await reply;
  await ownServer.start();
  expect(statusCode).toBe(202);
  expect(headers.location).toBe(`/v1/jobs/${JSON.parse(body).id}`);
  expect(await countJobs(waitedFor.db)).toBe(2);
});

test('whoever waits for the end of a job is told of it, though it could not be read at first', async () => {
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;
  const reply = api.send('POST', '/v1/jobs', {
    body: { type: 'test.echo', payload: {} },
    headers: { prefer: 'wait=20' },
  });
  await waitUntil(
    async () => {
      const { rows } = await sql<{ isCanceled: boolean }>`
        SELECT pg_cancel_backend(pid) AS "isCanceled" FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE '%find-job%' AND pid <> pg_backend_pid()`.execute(
        api.db,
      );
      return rows.length > 0;
    },
    { until: 'the job that was accepted is read, in vain' },
  );
  release();
  await locker;
  const { id } = await api.db
    .selectFrom('current_jobs')
    .select('id')
    .where('status', '=', 'queued')
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow();
  await runJob(api.db, id, { kind: 'succeed', resultJson: '{}' });
  expect((await reply).json().status).toBe('succeeded');
});
