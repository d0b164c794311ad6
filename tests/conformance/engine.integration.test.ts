import { newUuid } from '@accepted/shared/job/id';
import {
  addToEngine,
  type Engine,
  type EngineJob,
  engineJobId,
  missingFromEngine,
  parseEngineJobId,
} from '@accepted/shared/queue/engine';
import { openEngine } from '@accepted/shared/queue/open-engine';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

let database: TestDatabase;
let redis: RedisServer;
beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startRedisServer()]);
});
afterAll(async () => {
  await Promise.all([database.drop(), redis[Symbol.asyncDispose]()]);
});

const ignoreErrors = () => undefined;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function newJobs(count: number): EngineJob[] {
  return Array.from({ length: count }, () => ({
    id: newUuid(),
    dispatchNo: 1,
    type: 'test.noop',
    traceparent: null,
  }));
}

describe.each(['redis', 'postgres'] as const)('the engine on %s', (kind) => {
  async function open(): Promise<Engine> {
    const engine = openEngine({
      databaseUrl: database.url,
      redisUrl: kind === 'redis' ? redis.url : undefined,
      onError: ignoreErrors,
    });
    closers.push(() => engine.close());
    await waitUntil(() => engine.isReady(), { until: 'the engine is ready' });
    return engine;
  }

  /** Collects what a worker is handed; each delivery ends when `hold` allows it. */
  function collect(engine: Engine, queue: string, hold: () => Promise<void> = async () => undefined) {
    const delivered: (string | undefined)[] = [];
    const worker = engine.openWorker(
      queue,
      async (job) => {
        delivered.push(job.id);
        await hold();
      },
      { concurrency: 5 },
    );
    closers.push(() => worker.close(true));
    return delivered;
  }

  test.each([1, 3, 50])('hands over each of %d jobs once, and has none of them afterwards', async (count) => {
    const engine = await open();
    const jobs = newJobs(count);
    const name = `once-${count}`;
    const queue = engine.queue(name);
    await addToEngine(engine, name, jobs);
    expect(await missingFromEngine(queue, jobs)).toEqual([]);
    const delivered = collect(engine, name);
    await waitUntil(() => delivered.length >= count, { until: 'all jobs are delivered' });
    await waitUntil(async () => (await missingFromEngine(queue, jobs)).length === count, {
      until: 'all are gone',
    });
    expect(delivered.sort()).toEqual(jobs.map(engineJobId).sort());
  });

  test('a worker that is idle gets a new job at once', async () => {
    const engine = await open();
    const delivered = collect(engine, 'idle');
    for (const round of [1, 2, 3]) {
      await addToEngine(engine, 'idle', newJobs(1));
      await waitUntil(() => delivered.length === round, {
        until: `job ${round} is delivered`,
        timeoutMs: 3_000,
      });
    }
  });

  test('adding a job that waits already changes nothing', async () => {
    const engine = await open();
    const [job] = newJobs(1);
    if (!job) return;
    await addToEngine(engine, 'twice', [job]);
    await addToEngine(engine, 'twice', [job, job]);
    expect(await engine.queue('twice').getJobCounts('waiting', 'active')).toMatchObject({ waiting: 1 });
  });

  test('what was never added, or is done, counts as missing; what is being worked on does not', async () => {
    const engine = await open();
    const [never, active] = newJobs(2);
    if (!never || !active) return;
    const gate = Promise.withResolvers<void>();
    const delivered = collect(engine, 'missing', () => gate.promise);
    await addToEngine(engine, 'missing', [active]);
    await waitUntil(() => delivered.length === 1, { until: 'the job is being worked on' });
    expect(await missingFromEngine(engine.queue('missing'), [never, active])).toEqual([never]);
    gate.resolve();
    await waitUntil(async () => (await missingFromEngine(engine.queue('missing'), [active])).length === 1, {
      until: 'the job is done',
    });
  });

  test('two workers share the jobs of a queue', async () => {
    const engine = await open();
    const other = await open();
    const [first, second] = [collect(engine, 'shared'), collect(other, 'shared')];
    const jobs = newJobs(200);
    await addToEngine(engine, 'shared', jobs);
    await waitUntil(() => first.length + second.length >= 200, { until: 'all jobs are delivered' });
    expect(new Set([...first, ...second]).size).toBe(200);
  });
});

test('a wiped Redis is noticed once, and a running one not again', async () => {
  const engine = openEngine({ databaseUrl: database.url, redisUrl: redis.url, onError: ignoreErrors });
  closers.push(() => engine.close());
  await waitUntil(() => engine.isReady(), { until: 'the engine is ready' });
  await engine.wasWiped('test');
  expect(await engine.wasWiped('test')).toBe(false);
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
  expect([await engine.wasWiped('test'), await engine.wasWiped('test')]).toEqual([true, false]);
});

test('calls fail at once while Redis is away, instead of waiting for it', async () => {
  const engine = openEngine({
    databaseUrl: database.url,
    redisUrl: 'redis://127.0.0.1:1',
    onError: ignoreErrors,
  });
  closers.push(() => engine.close());
  const started = performance.now();
  await expect(addToEngine(engine, 'away', newJobs(1))).rejects.toThrow();
  await expect(engine.wasWiped('test')).rejects.toThrow();
  expect(engine.isReady()).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('an engine job id is read back, and a strange one is not taken for ours', () => {
  const job = { id: newUuid(), dispatchNo: 7 };
  expect(parseEngineJobId(engineJobId(job))).toEqual(job);
  for (const strange of [undefined, '', '7', `${job.id}`, `${job.id}.x`, `x${job.id}.1`, `${job.id}.1.1`]) {
    expect(parseEngineJobId(strange)).toBeUndefined();
  }
});
