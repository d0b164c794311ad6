import { newUuid } from '@accepted/shared/core/job/id';
import { tellDrain } from '@accepted/shared/ledger/queues/drain';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
let othersKey: string;
beforeAll(async () => {
  api = await startApi();
  othersKey = await createOtherTenant(api.db);
  const worker = { id: newUuid(), hostname: 'test', pid: 1, queues: ['default'], concurrency: 10 };
  await registerWorker(api.db, { ...worker, buildId: TEST_BUILD });
  for (let submitted = 0; submitted < 50; submitted += 1) await api.submit();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.send('POST', '/v1/queues/default/resume');
  await tellDrain(api.db, 'default', 10);
});

const TTL_MS = 1_000;

const submit = (job: object = {}, key = api.key) =>
  api.send('POST', '/v1/jobs', { key, body: { type: 'test.echo', payload: {}, ttlMs: TTL_MS, ...job } });

/** It is known a moment after the first job with a `ttlMs` has come. */
async function refused() {
  return await waitUntil(
    async () => {
      const reply = await submit();
      return reply.statusCode === 503 ? reply : undefined;
    },
    { until: 'it is refused' },
  );
}

test('a job that would expire before it starts is refused, with the wait that is foreseen', async () => {
  const reply = await refused();
  expect(reply.json()).toMatchObject({ code: 'deadline_unreachable' });
  const { predictedWaitMs } = reply.json();
  expect(predictedWaitMs).toBeGreaterThan(4_000);
  // The 99th percentile, and a quarter more, of five to eight seconds that there are jobs for.
  expect(predictedWaitMs).toBeLessThan(15_000);
  expect(Number(reply.headers['retry-after'])).toBeGreaterThanOrEqual(3);
  expect(Number(reply.headers['retry-after'])).toBeLessThanOrEqual(25);
});

test('one that has the time is not, nor one that need not wait as long', async () => {
  await refused();
  expect((await submit({ ttlMs: 60_000 })).statusCode).toBe(202);
  expect((await submit({ ttlMs: undefined })).statusCode).toBe(202);
  expect((await submit({ priority: 'critical' })).statusCode).toBe(202);
  expect((await submit({}, othersKey)).statusCode).toBe(202);
  expect((await submit({ ttlMs: 120_000, delayMs: 60_000 })).statusCode).toBe(202);
});

test('what came before with the same key is told, whatever is foreseen now', async () => {
  await refused();
  const headers = { 'idempotency-key': 'in time' };
  const body = { type: 'test.echo', payload: {}, ttlMs: 90_000 };
  const first = await api.send('POST', '/v1/jobs', { body, headers });
  expect(first.statusCode).toBe(202);
  await tellDrain(api.db, 'default', 0.1);
  await waitUntil(async () => (await submit({ ttlMs: 90_000 })).statusCode === 503, {
    until: 'it is refused',
  });
  const again = await api.send('POST', '/v1/jobs', { body, headers });
  expect([again.statusCode, again.json().id]).toEqual([202, first.json().id]);
});

test.each([
  [
    'nobody knows how fast jobs go',
    () => sql`UPDATE queues SET drain_told_at = now() - interval '1 minute'`.execute(api.db),
  ],
  ['the queue is paused', () => api.send('POST', '/v1/queues/default/pause')],
])('while %s nothing is refused for it', async (_what, begin) => {
  await refused();
  await begin();
  await waitUntil(async () => (await submit()).statusCode === 202, { until: 'it is accepted' });
});
