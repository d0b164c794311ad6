import type { LaneWindow, QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { priorityRank } from '@accepted/shared/core/job/priority';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { type DispatchTurn, dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import type { DispatchedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { takeBackPaused } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { readDispatchRules } from '@accepted/shared/ledger/limits/dispatch-rules';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const [ours, theirs] = [newUuid(), newUuid()];

beforeAll(async () => {
  await registerTestBuild(ledger.db, ['test.noop', 'test.other']);
  for (const id of [ours, theirs])
    await sql`INSERT INTO tenants (id, name, webhook_secret) VALUES (${id}, ${id}, '')`.execute(ledger.db);
  for (const queue of ['default', 'second'])
    await sql`INSERT INTO queues (name) VALUES (${queue}) ON CONFLICT DO NOTHING`.execute(ledger.db);
});

/** A dispatcher of a queue, which remembers it from turn to turn and reads the rules at each. */
function createDispatcher(queue = 'default') {
  let picture: QueuePicture | undefined;
  return async (windows: LaneWindow[] = testLane(50)): Promise<DispatchTurn> => {
    const rules = await readDispatchRules(ledger.db, queue, [TEST_BUILD]);
    picture?.lines.gates.openHeldElsewhere();
    const turn = await dispatchJobs(ledger.db, queue, windows, { ...rules, picture });
    picture = turn.lost ? undefined : turn.picture;
    return turn;
  };
}

let takeTurn = createDispatcher();
beforeEach(async () => {
  takeTurn = createDispatcher();
  for (const table of ['queues', 'tenants'])
    await sql`UPDATE ${sql.table(table)} SET paused_at = NULL, concurrency = NULL`.execute(ledger.db);
  await sql`DELETE FROM job_type_rules`.execute(ledger.db);
});

const RULED = {
  queue: { table: 'queues', id: 'name', ours: 'default' },
  type: { table: 'job_type_rules', id: 'type', ours: 'test.noop' },
  tenant: { table: 'tenants', id: 'id', ours },
} as const;
type Ruled = keyof typeof RULED;

async function rule(what: Ruled, rules: { isPaused?: boolean; concurrency?: number }): Promise<void> {
  const { table, id, ours: own } = RULED[what];
  if (what === 'type')
    await sql`INSERT INTO job_type_rules (type) VALUES (${own}) ON CONFLICT DO NOTHING`.execute(ledger.db);
  await sql`UPDATE ${sql.table(table)} SET paused_at = ${rules.isPaused ? sql`now()` : sql`NULL`},
    concurrency = ${rules.concurrency ?? null} WHERE ${sql.ref(id)} = ${own}`.execute(ledger.db);
}

async function insert(count: number, overrides: Partial<NewJob> = {}): Promise<void> {
  const jobs = Array.from({ length: count }, () => makeJob({ tenantId: ours, ...overrides }));
  await insertJobs(ledger.db, jobs);
}

async function finish(jobs: DispatchedJob[]): Promise<void> {
  const claimed = (await claimJobs(ledger.db, ledger.workerId, jobs)).flatMap((job) => job ?? []);
  expect(claimed).toHaveLength(jobs.length);
  await recordOutcomes(
    ledger.db,
    claimed.map((job) => ({ job, outcome: succeed })),
    VERSIONS,
  );
}

const count = (table: 'ready' | 'blocked' | 'in_flight') =>
  ledger.db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<string>().as('jobs'))
    .executeTakeFirstOrThrow()
    .then(({ jobs }) => Number(jobs));

describe.each(['queue', 'type', 'tenant'] as const)('a %s', (what) => {
  test('that is paused has no job dispatched, whatever comes, and goes on when it is resumed', async () => {
    await insert(3);
    await takeTurn(testLane(0));
    await rule(what, { isPaused: true });
    expect((await takeTurn()).jobs).toEqual([]);
    await insert(2);
    expect(await takeTurn()).toMatchObject({ jobs: [], moreToDo: false });
    await rule(what, {});
    expect((await takeTurn()).jobs).toHaveLength(5);
  });

  test('that is paused keeps no other waiting', async () => {
    await rule(what, { isPaused: true });
    await insert(3);
    const others = { tenantId: theirs, type: 'test.other' };
    await insert(2, others);
    expect((await takeTurn()).jobs).toHaveLength(what === 'queue' ? 0 : 2);
    await insert(2, { ...others, queue: 'second' });
    expect((await createDispatcher('second')()).jobs).toHaveLength(2);
  });

  test('that is limited lets nothing starve that is less urgent than what waits beside it', async () => {
    await rule(what, { concurrency: 2 });
    await insert(40, { priority: priorityRank('high') });
    const normal = makeJob({ tenantId: ours });
    await insertJobs(ledger.db, [normal]);
    let before = 0;
    for (let isDone = false; !isDone; ) {
      const jobs: DispatchedJob[] = [];
      for (let turn = await takeTurn(); turn.jobs.length > 0 || turn.moreToDo; turn = await takeTurn())
        jobs.push(...turn.jobs);
      expect(jobs).toHaveLength(2);
      await finish(jobs);
      isDone = jobs.some(({ id }) => id === normal.id);
      before += isDone ? 0 : jobs.length;
    }
    expect(before).toBeLessThanOrEqual(10);
    await sql`DELETE FROM ready`.execute(ledger.db);
  });

  test('that is paused has back what waits in the engine, and what runs goes on', async () => {
    await insert(3);
    const { jobs } = await takeTurn();
    const running = jobs.slice(0, 1);
    const claimed = (await claimJobs(ledger.db, ledger.workerId, running)).flatMap((job) => job ?? []);
    await rule(what, { isPaused: true });
    const { pausedJobs } = await readDispatchRules(ledger.db, 'default', [TEST_BUILD]);
    await takeBackPaused(ledger.db, 'default', pausedJobs);
    expect([await count('ready'), await count('in_flight')]).toEqual([2, 1]);
    expect((await takeTurn()).jobs).toEqual([]);
    expect(await claimJobs(ledger.db, ledger.workerId, jobs.slice(1))).toEqual([undefined, undefined]);
    const ended = claimed.map((job) => ({ job, outcome: succeed }));
    expect(await recordOutcomes(ledger.db, ended, VERSIONS)).toEqual(['succeeded']);
    await rule(what, {});
    expect((await takeTurn()).jobs).toHaveLength(2);
  });

  test('that is limited has no more in flight, moves no job for that, and goes on as jobs end', async () => {
    await rule(what, { concurrency: 2 });
    await insert(5);
    const first = await takeTurn();
    expect(first.jobs).toHaveLength(2);
    expect(await takeTurn()).toMatchObject({ jobs: [], heldBack: true, moreToDo: false });
    expect([await count('ready'), await count('blocked')]).toEqual([3, 0]);
    await finish(first.jobs.slice(0, 1));
    expect((await takeTurn()).jobs).toHaveLength(1);
    await rule(what, { concurrency: 4 });
    const { picture } = await takeTurn(testLane(0));
    picture.lines.gates.openAll();
    expect((await takeTurn()).jobs).toHaveLength(2);
  });

  test('that is limited has no more in flight when its jobs come to an idle queue', async () => {
    await rule(what, { concurrency: 2 });
    await takeTurn();
    await insert(5);
    await takeTurn();
    await takeTurn();
    expect(await count('in_flight')).toBe(2);
  });
});

describe.each(['type', 'tenant'] as const)('the limit of a %s', (what) => {
  test('holds over queues, however their dispatchers race', { timeout: 60_000 }, async () => {
    const [one, other] = [createDispatcher(), createDispatcher('second')];
    await rule(what, { concurrency: 3 });
    for (const queue of ['default', 'second']) await insert(JOBS, { queue });
    let done = 0;
    for (let race = 0; done < 2 * JOBS; race += 1) {
      expect(race).toBeLessThan(4 * JOBS);
      const turns = await Promise.all([one(), other()]);
      expect(await count('in_flight')).toBeLessThanOrEqual(3);
      const jobs = turns.flatMap((turn) => turn.jobs);
      await finish(jobs);
      done += jobs.length;
    }
  });

  test('lets jobs with keys go up to the limit of their key as well', async () => {
    await rule(what, { concurrency: 3 });
    await insert(4, { concurrencyKey: 'k', concurrencyLimit: 1 });
    await insert(4);
    for (let turn = 0; turn < 3; turn += 1) await takeTurn();
    const { rows } = await sql<{ keyed: number; all: number }>`
      SELECT count(concurrency_key)::int AS keyed, count(*)::int AS all FROM in_flight`.execute(ledger.db);
    expect(rows).toEqual([{ keyed: 1, all: 3 }]);
    expect(await count('blocked')).toBe(3);
  });
});

const JOBS = 40;
