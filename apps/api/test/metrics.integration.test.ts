import { isDeepStrictEqual } from 'node:util';
import { newUuid } from '@accepted/shared/core/job/id';
import { tellHeldTypes } from '@accepted/shared/ledger/limits/adaptive-limits';
import { addToCounters } from '@accepted/shared/ledger/queues/counters';
import { beat } from '@accepted/shared/ledger/workers/beat';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { METRIC_LABELS } from '../src/metrics/create-metrics.ts';
import { type ApiUnderTest, startApi } from './api-under-test.ts';
import { die, keyWith } from './dead-letters-under-test.ts';
import { recordWorkerRate } from './worker-rate.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

test('shows depth, waits, dead letters and the totals of all workers', async () => {
  await api.submit();
  await recordWorkerRate(api.db, 'strict', 1);
  await die(api, { queue: 'strict' });
  await die(api, { queue: 'strict' });
  const increments = [
    { name: 'attempts', queue: 'default', label: 'succeeded', by: 3 },
    { name: 'dead_letters_created', queue: 'strict', label: '', by: 2 },
    { name: 'fenced', queue: 'default', label: '', by: 1 },
  ];
  // Two workers, or the same one twice.
  await Promise.all([addToCounters(api.db, increments), addToCounters(api.db, increments)]);
  const usual = { meanMs: 5, medianMs: 5, running: 1, hanging: 0 };
  await tellHeldTypes(api.db, 'strict', [
    { type: 'test.echo', most: 2, twentieths: 2, usual, heldMs: 1_000 },
  ]);
  const key = await keyWith(api, ['metrics']);

  const reply = await api.send('GET', '/metrics', { key });
  expect(reply.statusCode).toBe(200);
  expect(reply.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(reply.body.split('\n')).toEqual(
    expect.arrayContaining([
      '# TYPE accepted_jobs gauge',
      'accepted_jobs{queue="default",status="queued"} 1',
      'accepted_queue_workers{queue="strict"} 1',
      'accepted_type_limit{queue="strict",type="test.echo"} 2',
      'accepted_dead_letters_open{queue="strict"} 2',
      'accepted_dead_letters_open{queue="default"} 0',
      '# TYPE accepted_attempts counter',
      'accepted_attempts_total{queue="default",outcome="succeeded"} 6',
      'accepted_dead_letters_created_total{queue="strict"} 4',
      'accepted_dead_letters_created_total{queue="default"} 0',
      'accepted_fenced_results_total{queue="default"} 2',
    ]),
  );
  expect(reply.body).toMatch(/accepted_queue_oldest_wait_seconds\{queue="default"\} 0?\.\d+/);
  expect(reply.body.endsWith('# EOF\n')).toBe(true);
});

test('has every metric that is known, and no other', async () => {
  const { body } = await api.send('GET', '/metrics');
  const families = [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  const names = families.map(([, name, type]) => (type === 'counter' ? `${name}_total` : name));

  expect(names.sort()).toEqual(Object.keys(METRIC_LABELS).sort());
});

test('says whether the workers reach the queue engine, and nothing certain while none lives to say so', async () => {
  const shown = async () => {
    const { body } = await api.send('GET', '/metrics');
    return body.split('\n').filter((line) => line.startsWith('accepted_engine_up'));
  };
  const shows = (lines: string[]) =>
    waitUntil(async () => isDeepStrictEqual(await shown(), lines), { until: `it shows ${lines}` });
  await api.db.deleteFrom('workers').execute();
  await shows(['accepted_engine_up Nan']);
  const worker = { hostname: 'test', pid: 1, queues: ['default'], concurrency: 1, buildId: TEST_BUILD };
  const ids = [newUuid(), newUuid()] as const;
  for (const id of ids) await registerWorker(api.db, { id, ...worker });
  await shows(['accepted_engine_up 1']);
  await beat(api.db, ids[0], { heartbeatMs: 1_000, finishedPerSecond: {}, engineUp: false });
  await shows(['accepted_engine_up 0']);
});

test('says how full the queue engine is by the worker that found the most of it taken', async () => {
  const shows = (value: string) =>
    waitUntil(
      async () =>
        (await api.send('GET', '/metrics')).body.includes(`\naccepted_engine_memory_used_ratio ${value}\n`),
      { until: `it shows ${value}` },
    );
  await api.db.deleteFrom('workers').execute();
  const worker = { hostname: 'test', pid: 1, queues: ['default'], concurrency: 1, buildId: TEST_BUILD };
  const ids = [newUuid(), newUuid()] as const;
  for (const id of ids) await registerWorker(api.db, { id, ...worker });
  // As a worker of the version before, which says nothing of it.
  await shows('Nan');
  const state = { heartbeatMs: 1_000, finishedPerSecond: {}, engineUp: true };
  await beat(api.db, ids[0], { ...state, engineFullness: 0.5 });
  await beat(api.db, ids[1], { ...state, engineFullness: 0.875 });
  await shows('0.875');
  await beat(api.db, ids[1], state);
  await shows('0.5');
});

test('says how long this process waits for connections, and what the connections do', async () => {
  const shown = async (name: string) => {
    const { body } = await api.send('GET', '/metrics');
    const line = body.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length));
  };
  const waits = 'accepted_pool_wait_seconds_count{pool="submit"}';
  const before = await shown(waits);
  await api.submit();
  expect(await shown(waits)).toBeGreaterThan(before);
  expect(await shown('accepted_pool_connections{pool="submit",state="idle"}')).toBeGreaterThanOrEqual(1);
  expect(await shown('accepted_pool_connections{pool="admin",state="waiting"}')).toBe(0);
  expect(await shown('accepted_writing_limit_jobs')).toBe(2_000);
  expect(await shown('accepted_request_limit{door="submit"}')).toBe(64);
  expect(await shown('accepted_requests_under_way{door="submit"}')).toBe(0);
});

test('needs a key with the scope', async () => {
  expect((await api.send('GET', '/metrics', { key: null })).statusCode).toBe(401);
  const key = await keyWith(api, ['jobs:read', 'dead-letters', 'admin']);
  expect((await api.send('GET', '/metrics', { key })).statusCode).toBe(403);
});
