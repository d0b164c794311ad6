import { newUuid } from '@accepted/shared/core/job/id';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { listQueueWorkers } from '@accepted/shared/ledger/queues/queue-statistics';
import { beat, type Heartbeat } from '@accepted/shared/ledger/workers/beat';
import { markSlow } from '@accepted/shared/ledger/workers/slow-workers';
import { listLiveLanes, markDraining, registerWorker } from '@accepted/shared/ledger/workers/workers';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const HEARTBEAT_MS = 3_000;

/** Has all that `TEST_BUILD` has, and more. */
const RICH_BUILD = 'rich';
/** Has the same type with another schema. */
const OTHER_BUILD = 'other';
beforeAll(async () => {
  await registerTestBuild(ledger.db, ['test.noop', 'test.rare'], { id: RICH_BUILD });
  await registerTestBuild(ledger.db, ['test.noop'], { id: OTHER_BUILD, payloadSchema: { type: 'object' } });
});

beforeEach(async () => {
  await sql`TRUNCATE workers`.execute(ledger.db);
});

async function start(buildId = TEST_BUILD): Promise<string> {
  const id = newUuid();
  const worker = { hostname: 'test', pid: 1, queues: ['default'], concurrency: 10, buildId };
  await registerWorker(ledger.db, { id, ...worker });
  return id;
}

async function startMany(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let started = 0; started < count; started += 1) ids.push(await start());
  return ids;
}

const mark = (id: string) => markSlow(ledger.db, id, HEARTBEAT_MS);
const tell = (id: string, told: Partial<Heartbeat> = {}) =>
  beat(ledger.db, id, { heartbeatMs: HEARTBEAT_MS, finishedPerSecond: {}, engineUp: true, ...told });
const staysSlow = async (id: string) => (await tell(id, { staysSlow: true })).isSlow;

async function slowWorkers(): Promise<number> {
  const rows = await ledger.db
    .selectFrom('workers')
    .select('id')
    .where('slow_since', 'is not', null)
    .execute();
  return rows.length;
}

describe('a worker is marked as slow', () => {
  test('where another one can do its work, and not twice', async () => {
    const [one = '', other = ''] = await startMany(2);
    expect(await mark(one)).toBe(true);
    expect(await mark(one)).toBe(false);
    expect(await mark(other)).toBe(false);
    expect(await slowWorkers()).toBe(1);
  });

  test('by half of those that have its types at most', async () => {
    const ids = await startMany(5);
    const marked: boolean[] = [];
    for (const id of ids) marked.push(await mark(id));
    expect(marked).toEqual([true, true, false, false, false]);
  });

  test('never the last one, however many ask at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      await sql`TRUNCATE workers`.execute(ledger.db);
      const ids = await startMany(2 + (round % 4));
      const marked = await Promise.all(ids.map(mark));
      expect(marked.filter(Boolean)).toHaveLength(Math.floor(ids.length / 2));
      expect(await slowWorkers()).toBe(Math.floor(ids.length / 2));
    }
  });

  test('not where it alone has a type, or a schema of one', async () => {
    const [plain, rich, other] = [await start(), await start(RICH_BUILD), await start(OTHER_BUILD)];
    expect(await mark(rich)).toBe(false);
    expect(await mark(other)).toBe(false);
    expect(await mark(plain)).toBe(true);
  });

  test.each([
    ['drains', (id: string) => markDraining(ledger.db, id)],
    ['is lost', (id: string) => sql`UPDATE workers SET lost_at = now() WHERE id = ${id}`.execute(ledger.db)],
    [
      'has not been heard of for two heartbeats',
      (id: string) =>
        sql`UPDATE workers SET heartbeat_at = now() - interval '7 s' WHERE id = ${id}`.execute(ledger.db),
    ],
  ])('not where the only other one %s, and one that is goes back then', async (_, leave) => {
    const [one = '', other = ''] = await startMany(2);
    await leave(other);
    expect(await mark(one)).toBe(false);

    const third = await start();
    expect(await mark(one)).toBe(true);
    expect(await staysSlow(one)).toBe(true);
    await leave(third);
    expect(await staysSlow(one)).toBe(false);
    expect(await slowWorkers()).toBe(0);
  });
});

test('a worker is marked for as long as it says so itself', async () => {
  const [one = ''] = await startMany(2);
  await mark(one);
  expect(await staysSlow(one)).toBe(true);
  expect((await tell(one)).isSlow).toBe(false);
  expect(await staysSlow(one)).toBe(false);
});

test('on one that is marked nobody counts, but for the jobs that it has', async () => {
  const [one = ''] = await startMany(2);
  await tell(one, { finishedPerSecond: { default: 5 } });
  await mark(one);
  expect(await listLiveLanes(ledger.db, 'default')).toMatchObject([
    { workers: 1, concurrency: 10, concurrencyWithDraining: 20, finishedPerSecond: 0 },
  ]);
  const queues = await listQueueWorkers(ledger.db);
  expect(queues.find(({ queue }) => queue === 'default')).toMatchObject({
    ...{ workers: 1, slowWorkers: 1, concurrency: 10, finishedPerSecond: 0 },
  });
});

test('what waits for a build of which all rest is taken back, for another one that has its types', async () => {
  const plain = await start();
  await start(RICH_BUILD);
  await ledger.insertOne();
  const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
  expect(jobs).toHaveLength(1);
  expect(await takeBackFromGoneBuilds(ledger.db)).toEqual(new Map());
  expect(await mark(plain)).toBe(true);
  expect(await takeBackFromGoneBuilds(ledger.db)).toEqual(new Map([['default', 1]]));
});

describe('a heartbeat tells how others are', () => {
  const pace = (ms: number, type = 'a') => ({ handlerMs: { [type]: ms }, loopLateMs: ms / 10 });

  test('that have run the types which are asked for, and neither rest nor leave', async () => {
    const [own = '', quick = '', slow = '', draining = '', unlike = ''] = await startMany(5);
    await tell(quick, { pace: pace(20) });
    await tell(slow, { pace: pace(400) });
    await tell(draining, { pace: pace(30) });
    await tell(unlike, { pace: pace(40, 'b') });
    await mark(slow);
    await markDraining(ledger.db, draining);
    const ask = async (...comparedTypes: string[]) =>
      (await tell(own, { comparedTypes, pace: pace(7) })).others;
    expect(await ask('a')).toEqual([pace(20)]);
    expect(await ask('a', 'b')).toEqual(expect.arrayContaining([pace(20), pace(40, 'b')]));
    expect(await ask()).toEqual([]);
  });

  test('by no more than some of many', async () => {
    const ids = await startMany(40);
    for (const [n, id] of ids.entries()) await tell(id, { pace: pace(n) });
    const { others } = await tell(ids[30] ?? '', { comparedTypes: ['a'], pace: pace(30) });
    const times = others.map(({ handlerMs }) => handlerMs.a);
    expect(times).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 0, 1, 2, 3, 4, 5, 6]);
  });
});
