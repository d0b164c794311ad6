import { setTimeout as delay } from 'node:timers/promises';
import { newUuid } from '@accepted/shared/core/job/id';
import { readDelivery } from '@accepted/shared/engine/delivery';
import type { Engine, EngineJob, Lane } from '@accepted/shared/engine/engine';
import { laneName } from '@accepted/shared/engine/names';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { openTestEngine, type TestEngine } from '@accepted/testing/test-engine';
import { waitUntil } from '@accepted/testing/wait-until';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const databases = {} as Record<Engine['kind'], TestDatabase>;
let redis: RedisServer;
beforeAll(async () => {
  for (const engine of ['redis', 'postgres'] as const)
    databases[engine] = await createTestDatabase({ engine });
  redis = await startRedisServer();
});
afterAll(async () => {
  for (const database of Object.values(databases)) await database.drop();
  await redis[Symbol.asyncDispose]();
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const laneOf = (queue: string): Lane => ({ queue, buildId: 'b' });

function newJobs(count: number): EngineJob[] {
  return Array.from({ length: count }, () => ({
    id: newUuid(),
    dispatchNo: 1,
    type: 'test.noop',
    traceparent: null,
  }));
}

describe.each(['redis', 'postgres'] as const)('the engine on %s', (kind) => {
  async function open(): Promise<TestEngine> {
    const engine = openTestEngine({
      databaseUrl: databases[kind].url,
      redisUrl: kind === 'redis' ? redis.url : undefined,
    });
    closers.push(() => engine.close());
    await waitUntil(() => engine.isReady(), { until: 'the engine is ready' });
    return engine;
  }

  /** Collects the ids of the jobs that a worker is handed; each delivery ends when `hold` allows it. */
  function collect(engine: Engine, lane: Lane, hold: () => Promise<void> = async () => undefined) {
    const delivered: string[] = [];
    const consumer = engine.consume(
      lane,
      async (delivery) => {
        delivered.push(...delivery.map(({ id }) => id));
        await hold();
      },
      { concurrency: 5 },
    );
    closers.push(consumer.close);
    return delivered;
  }

  test('hands over what goes ahead before what waits, each in the order in which it was given', async () => {
    const engine = await open();
    const lane = laneOf('ahead');
    const [behind, ahead] = [newJobs(4), newJobs(3)];
    const each = (jobs: EngineJob[]) => jobs.map((job) => [job]);
    await engine.deliver(lane, each(behind.slice(0, 2)));
    await engine.deliver(lane, each(behind.slice(2)));
    await engine.deliver(lane, each(ahead), { isAhead: true });
    await engine.deliver(lane, [], { isAhead: true });

    const delivered: string[] = [];
    const take = async (delivery: { id: string }[]) => void delivered.push(...delivery.map(({ id }) => id));
    closers.push(engine.consume(lane, take, { concurrency: 1 }).close);
    await waitUntil(() => delivered.length === 7, { until: 'all jobs are delivered' });
    expect(delivered).toEqual([...ahead, ...behind].map(({ id }) => id));
  });

  test.each([
    [1, 1],
    [3, 1],
    [50, 1],
    [50, 20],
  ])('hands over each of %d jobs once, %d in a delivery, and has none afterwards', async (count, size) => {
    const engine = await open();
    const jobs = newJobs(count);
    const lane = laneOf(`once-${count}-${size}`);
    const queue = engine.store.queue(laneName(lane));
    const deliveries = Math.ceil(count / size);
    await engine.deliver(
      lane,
      Array.from({ length: deliveries }, (_, index) => jobs.slice(index * size, (index + 1) * size)),
    );
    expect(await queue.getWaitingCount()).toBe(deliveries);
    expect(await engine.isWaiting(lane, jobs.slice(-1))).toBe(true);
    expect(await engine.missing(lane, jobs)).toEqual([]);
    const delivered = collect(engine, lane);
    await waitUntil(() => delivered.length >= count, { until: 'all jobs are delivered' });
    await waitUntil(async () => (await engine.missing(lane, jobs)).length === count, {
      until: 'all are gone',
    });
    expect(delivered.sort()).toEqual(jobs.map(({ id }) => id).sort());
  });

  test('a worker that is idle gets a new job at once', async () => {
    const engine = await open();
    const delivered = collect(engine, laneOf('idle'));
    for (const round of [1, 2, 3]) {
      await engine.deliver(laneOf('idle'), [newJobs(1)]);
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
    const lane = laneOf('twice');
    await engine.deliver(lane, [[job]]);
    await engine.deliver(lane, [[job], [job]]);
    expect(await engine.store.queue(laneName(lane)).getJobCounts('waiting', 'active')).toMatchObject({
      waiting: 1,
    });
  });

  test('what was never added, or is done, counts as missing; what is being worked on does not', async () => {
    const engine = await open();
    const [never, active] = newJobs(2);
    if (!never || !active) return;
    const gate = Promise.withResolvers<void>();
    const lane = laneOf('missing');
    const delivered = collect(engine, lane, () => gate.promise);
    await engine.deliver(lane, [[active]]);
    await waitUntil(() => delivered.length === 1, { until: 'the job is being worked on' });
    expect(await engine.missing(lane, [never, active])).toEqual([never]);
    expect(await engine.isWaiting(lane, [never, active])).toBe(false);
    gate.resolve();
    await waitUntil(async () => (await engine.missing(lane, [active])).length === 1, {
      until: 'the job is done',
    });
  });

  test('a consumer that was paused goes on, with another number of deliveries at once, also while one of them lasts', async () => {
    const engine = await open();
    const lane = laneOf('paused');
    const gate = Promise.withResolvers<void>();
    const jobs = newJobs(21);
    const delivered: string[] = [];
    let [running, most] = [0, 0];
    const take = async ([job]: { id: string }[]) => {
      running += 1;
      most = Math.max(most, running);
      delivered.push(job?.id ?? '');
      await (job?.id === jobs[0]?.id ? gate.promise : delay(1));
      running -= 1;
    };
    const deliver = (some: EngineJob[]) =>
      engine.deliver(
        lane,
        some.map((job) => [job]),
      );
    const areDelivered = (count: number) =>
      waitUntil(() => delivered.length === count, { until: `${count} are delivered`, timeoutMs: 10_000 });
    const consumer = engine.consume(lane, take, { concurrency: 5 });
    closers.push(consumer.close);
    await consumer.pause();
    await deliver(jobs.slice(0, 11));
    await consumer.goOn({ concurrency: 1 });
    await areDelivered(1);
    await consumer.goOn({ concurrency: 3 });
    await areDelivered(11);
    expect(most).toBe(3);
    gate.resolve();
    await consumer.pause();
    // It waits for a delivery for five seconds, paused or not; only then it has stopped.
    await delay(6_000);
    await deliver(jobs.slice(11));
    expect(delivered).toHaveLength(11);
    await consumer.goOn({ concurrency: 1 });
    await areDelivered(21);
  });

  test('two workers share the jobs of a queue', async () => {
    const engine = await open();
    const other = await open();
    const [first, second] = [collect(engine, laneOf('shared')), collect(other, laneOf('shared'))];
    const jobs = newJobs(200);
    await engine.deliver(
      laneOf('shared'),
      jobs.map((job) => [job]),
    );
    await waitUntil(() => first.length + second.length >= 200, { until: 'all jobs are delivered' });
    expect(new Set([...first, ...second]).size).toBe(200);
  });
});

test('a wiped Redis is noticed once, and a running one not again', async () => {
  const engine = openTestEngine({ databaseUrl: databases.redis.url, redisUrl: redis.url });
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
  const engine = openTestEngine({ databaseUrl: databases.redis.url, redisUrl: 'redis://127.0.0.1:1' });
  closers.push(() => engine.close());
  const started = performance.now();
  await expect(engine.deliver(laneOf('away'), [newJobs(1)])).rejects.toThrow();
  await expect(engine.wasWiped('test')).rejects.toThrow();
  expect(engine.isReady()).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('what in a delivery is not a dispatch of ours is not taken for one', () => {
  const dispatch = { id: newUuid(), dispatchNo: 7 };
  expect(readDelivery({ dispatches: [dispatch, { ...dispatch, traceparent: 'x' }] })).toEqual([
    dispatch,
    dispatch,
  ]);
  const strange = [
    null,
    7,
    {},
    { id: dispatch.id },
    { id: 'x', dispatchNo: 1 },
    { ...dispatch, dispatchNo: 2 ** 31 },
  ];
  for (const data of [undefined, null, {}, { dispatches: 1 }, { dispatches: strange }]) {
    expect(readDelivery(data)).toEqual([]);
  }
});
