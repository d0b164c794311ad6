import type { LaneWindow, QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { priorityRank } from '@accepted/shared/core/job/priority';
import { cancelJob, expireJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { type DispatchTurn, dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { rescheduleJob } from '@accepted/shared/ledger/jobs/reschedule-jobs';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import type { DispatchedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import type { TurnRules } from '@accepted/shared/ledger/jobs/turn-rules';
import { makeJob } from '@accepted/testing/factories';
import { changeLive } from '@accepted/testing/move-jobs';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const tenantId = newUuid();
const KEY = 'account-7';

async function insert(count: number, overrides: Partial<NewJob> = {}): Promise<string[]> {
  const limited = { tenantId, concurrencyKey: KEY, concurrencyLimit: 1 };
  const jobs = Array.from({ length: count }, () => makeJob({ ...limited, ...overrides }));
  await insertJobs(ledger.db, jobs);
  return idsOf(jobs);
}

const idsOf = (jobs: { id: string }[]) => jobs.map(({ id }) => id);

/** A dispatcher of a queue, which remembers it from turn to turn. */
function createDispatcher(queue = 'default') {
  let picture: QueuePicture | undefined;
  return async (
    windows: LaneWindow[] = testLane(100),
    rules: Partial<TurnRules> = {},
  ): Promise<DispatchTurn> => {
    const turn = await dispatchJobs(ledger.db, queue, windows, { ...rules, picture });
    picture = turn.lost ? undefined : turn.picture;
    return turn;
  };
}

let takeTurn = createDispatcher();
beforeEach(() => {
  takeTurn = createDispatcher();
});

/** Takes turns until there is nothing to do, and answers what was dispatched, in order. */
async function dispatchAll(rules?: Partial<TurnRules>, windows?: LaneWindow[]): Promise<DispatchedJob[]> {
  const dispatched: DispatchedJob[] = [];
  for (;;) {
    const { jobs, moreToDo } = await takeTurn(windows, rules);
    dispatched.push(...jobs);
    if (!moreToDo) return dispatched;
  }
}

async function finish(jobs: DispatchedJob[]): Promise<void> {
  const claimed = await claimJobs(ledger.db, ledger.workerId, jobs);
  const ended = claimed.flatMap((job) => (job ? [{ job, outcome: succeed }] : []));
  expect(ended).toHaveLength(jobs.length);
  await recordOutcomes(ledger.db, ended, VERSIONS);
}

async function placesOf(): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    SELECT (SELECT count(*)::int FROM ready) AS ready, (SELECT count(*)::int FROM blocked) AS blocked,
      (SELECT count(*)::int FROM in_flight) AS "inFlight"`.execute(ledger.db);
  return rows[0] ?? {};
}

describe('a job whose key is full', () => {
  test('waits in `blocked` from its turn on, and goes when a slot is given back, in the order of the accepts', async () => {
    const ids = await insert(4, { concurrencyLimit: 2 });
    const first = await dispatchAll();
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    expect(await placesOf()).toEqual({ ready: 0, blocked: 2, inFlight: 2 });
    expect(await ledger.readJob(ids[2] ?? '')).toMatchObject({ status: 'queued', dispatched_at: null });
    expect(await dispatchAll()).toEqual([]);
    await finish(first.slice(0, 1));
    const second = await dispatchAll();
    expect(idsOf(second)).toEqual(ids.slice(2, 3));
    expect(await placesOf()).toEqual({ ready: 0, blocked: 1, inFlight: 2 });
    await finish([...first.slice(1), ...second]);
    expect(idsOf(await dispatchAll())).toEqual(ids.slice(3));
  });

  test('keeps its place before those that come later, and the more urgent go first', async () => {
    const [first] = await insert(1);
    const running = await dispatchAll();
    expect(idsOf(running)).toEqual([first]);
    const earlier = await insert(1);
    await dispatchAll();
    await finish(running);
    const later = await insert(1);
    const urgent = await insert(1, { priority: priorityRank('critical') });
    const order: string[] = [];
    for (let jobs = await dispatchAll(); jobs.length > 0; jobs = await dispatchAll()) {
      order.push(...idsOf(jobs));
      await finish(jobs);
    }
    expect(order.toSorted()).toEqual([...earlier, ...later, ...urgent].toSorted());
    expect(order.indexOf(earlier[0] ?? '')).toBeLessThan(order.indexOf(later[0] ?? ''));
    expect(order.indexOf(urgent[0] ?? '')).toBeLessThan(order.indexOf(later[0] ?? ''));
  });

  test('has its turn within a bound, however many wait for the key that are more urgent', async () => {
    await insert(20, { priority: priorityRank('high') });
    const [normal = ''] = await insert(1);
    const order: string[] = [];
    while (!order.includes(normal)) {
      const jobs = await dispatchAll();
      expect(jobs).toHaveLength(1);
      order.push(...idsOf(jobs));
      await finish(jobs);
    }
    // Eight before it, and one while it was moved to wait.
    expect(order).toHaveLength(10);
  });

  test('waits for no slot that is free, though only jobs behind it had a turn', async () => {
    const limited = { concurrencyLimit: 2 };
    await insert(4, limited);
    const running = await dispatchAll();
    await finish(running);
    await insert(4, { ...limited, priority: priorityRank('critical') });
    const { jobs: inTheWay } = await takeTurn(testLane(4));
    expect(idsOf([...inTheWay, ...(await dispatchAll())])).toHaveLength(2);
    expect(await placesOf()).toEqual({ ready: 0, blocked: 4, inFlight: 2 });
  });

  test('waits for no slot that those before it left for want of room', async () => {
    const ids = await insert(3, { concurrencyLimit: 2 });
    const { jobs: first } = await takeTurn(testLane(1));
    expect(idsOf(first)).toEqual(ids.slice(0, 1));
    expect(idsOf(await dispatchAll({}, testLane(3)))).toEqual(ids.slice(1, 2));
    expect(await placesOf()).toEqual({ ready: 0, blocked: 1, inFlight: 2 });
  });

  test('keeps no job of another key, or without one, waiting, however many stand before it', async () => {
    await insert(500);
    const [other] = await insert(1, { concurrencyKey: 'account-8' });
    const [free] = await insert(1, { concurrencyKey: undefined, concurrencyLimit: undefined });
    const dispatched = idsOf(await dispatchAll());
    expect(dispatched).toHaveLength(3);
    expect(dispatched).toEqual(expect.arrayContaining([other, free]));
    expect(await placesOf()).toEqual({ ready: 0, blocked: 499, inFlight: 3 });
  });

  test('can be canceled, expires, and can be given another time', async () => {
    const [holder = ''] = await insert(1);
    const running = await dispatchAll();
    expect(idsOf(running)).toEqual([holder]);
    const [canceled = '', expired = '', later = '', next = ''] = await insert(4, { ttlMs: 60_000 });
    await dispatchAll();
    expect((await placesOf()).blocked).toBe(4);
    expect(await cancelJob(ledger.db, tenantId, canceled)).toMatchObject({ kind: 'canceled' });
    await changeLive(ledger.db, sql`expires_at = now() - interval '1 s'`, sql`job_id = ${expired}`);
    expect(await expireJobs(ledger.db, 10)).toEqual([expired]);
    const moved = await rescheduleJob(ledger.db, tenantId, later, { delayMs: 30_000 });
    expect(moved).toMatchObject({ kind: 'rescheduled', row: { status: 'scheduled' } });
    await finish(running);
    expect(idsOf(await dispatchAll())).toEqual([next]);
  });

  test('is found by the dispatcher that follows', async () => {
    const ids = await insert(3);
    const running = await dispatchAll();
    takeTurn = createDispatcher();
    expect(await dispatchAll()).toEqual([]);
    await finish(running);
    takeTurn = createDispatcher();
    expect(idsOf(await dispatchAll())).toEqual(ids.slice(1, 2));
  });

  test('waits for a build as others do, and keeps none of another type from its slot', async () => {
    await registerTestBuild(ledger.db, ['test.other'], { id: 'other-build' });
    const [holder] = await insert(1);
    const running = await dispatchAll();
    expect(idsOf(running)).toEqual([holder]);
    await insert(2, { type: 'test.other' });
    const lanes = [...testLane(10), { buildId: 'other-build', size: 10 }];
    await takeTurn(lanes);
    const [next] = await insert(1);
    await dispatchAll();
    expect(await placesOf()).toEqual({ ready: 0, blocked: 3, inFlight: 1 });
    await finish(running);
    expect(idsOf(await dispatchAll())).toEqual([next]);
  });
});

/**
 * Has the dispatchers of two queues take turns at the same time for the two slots of a key, until all jobs are done or there were
 * too many in flight; answers the most that were.
 */
async function raceForSlots(): Promise<number> {
  const [one, other] = [createDispatcher('one'), createDispatcher('other')];
  for (const queue of ['one', 'other']) await insert(RACES, { queue, concurrencyLimit: 2 });
  let most = 0;
  for (let race = 0, done = 0; done < RACES && most <= 2; race += 1) {
    expect(race).toBeLessThan(4 * RACES);
    const turns = await Promise.all([one(), other()]);
    const { inFlight = 0 } = await placesOf();
    most = Math.max(most, inFlight);
    const jobs = turns.flatMap((turn) => turn.jobs);
    await finish(jobs);
    done += jobs.length;
    for (const { picture } of turns) picture.lines.gates.openHeldElsewhere();
  }
  return most;
}

describe('the limit of a key', () => {
  const limitOf = (most: number) => ({
    limits: { key: [{ name: 'test.noop', most }], type: [], tenant: [] },
  });

  test('is the one in force: raised, it lets as many go as it leaves free', async () => {
    const ids = await insert(5);
    expect(idsOf(await dispatchAll(limitOf(1)))).toEqual(ids.slice(0, 1));
    const { lines } = (await takeTurn(undefined, limitOf(3))).picture;
    lines.gates.openAll();
    expect(idsOf(await dispatchAll(limitOf(3)))).toEqual(ids.slice(1, 3));
    lines.gates.openAll();
    expect(idsOf(await dispatchAll(limitOf(9)))).toEqual(ids.slice(3));
  });

  test('is the one in force: lowered, it lets nobody go until enough have ended', async () => {
    const ids = await insert(5);
    const running = await dispatchAll(limitOf(3));
    expect(running).toHaveLength(3);
    await finish(running.slice(0, 2));
    expect(await dispatchAll(limitOf(1))).toEqual([]);
    await finish(running.slice(2));
    expect(idsOf(await dispatchAll(limitOf(1)))).toEqual(ids.slice(3, 4));
  });

  test('holds for each tenant apart', async () => {
    await insert(2);
    await insert(2, { tenantId: newUuid() });
    expect(await dispatchAll()).toHaveLength(2);
  });

  test('holds over queues, however their dispatchers race', { timeout: 60_000 }, async () => {
    expect(await raceForSlots()).toBe(2);
  });

  test('is broken within a minute where the dispatchers do not lock what they share', {
    timeout: 60_000,
  }, async () => {
    const { rows } = await sql<{ sound: string }>`
      SELECT pg_get_functiondef('take_limited_jobs'::regproc) AS sound`.execute(ledger.db);
    const sound = rows[0]?.sound ?? '';
    const unlocked = sound.replace(/PERFORM pg_advisory_xact_lock[^;]*;/, '');
    expect(unlocked).not.toBe(sound);
    onTestFinished(async () => void (await sql.raw(sound).execute(ledger.db)));
    await sql.raw(unlocked).execute(ledger.db);
    expect(await raceForSlots()).toBeGreaterThan(2);
  });
});

const RACES = 100;

test('a slot that is given back just before the queue is read whole again is not missed', async () => {
  const ids = await insert(2);
  const running = await dispatchAll();
  const { picture } = await takeTurn();
  await finish(running);
  expect(await surveyQueue(ledger.db, 'default', picture)).toBe(picture);
  expect(idsOf(await dispatchAll())).toEqual(ids.slice(1));
});

test('slots that jobs of another queue give back are looked for', async () => {
  const elsewhere = createDispatcher('elsewhere');
  await insert(1, { queue: 'elsewhere' });
  const { jobs: holders } = await elsewhere();
  expect(holders).toHaveLength(1);
  const ids = await insert(2);
  expect(await dispatchAll()).toEqual([]);
  const { lines } = (await takeTurn()).picture;
  expect(lines.gates.isAnyHeldElsewhere()).toBe(true);
  await finish(holders);
  lines.gates.openHeldElsewhere();
  expect(idsOf(await dispatchAll())).toEqual(ids.slice(0, 1));
  expect(lines.gates.isAnyHeldElsewhere()).toBe(false);
});

test('what waits for a slot goes to a lane that takes it', async () => {
  await registerTestBuild(ledger.db, ['test.noop'], { id: 'later-build', payloadSchema: { title: 'later' } });
  await insert(2);
  const running = await dispatchAll();
  await finish(running);
  const { jobs } = await takeTurn([{ buildId: 'later-build', size: 5 }]);
  expect(jobs).toMatchObject([{ buildId: 'later-build' }]);
  expect(running).toMatchObject([{ buildId: TEST_BUILD }]);
});
