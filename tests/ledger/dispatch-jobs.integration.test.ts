import { schemaId } from '@accepted/shared/core/job/build';
import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import type { DispatchedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { markDraining, registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { changeLive } from '@accepted/testing/move-jobs';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

describe('dispatchJobs', () => {
  test('fills the window and no more, the oldest first', async () => {
    const tenantId = newUuid();
    const jobs = Array.from({ length: 5 }, () => makeJob({ tenantId }));
    await insertJobs(ledger.db, jobs);
    const first = await dispatchJobs(ledger.db, 'default', testLane(3));
    expect(first).toMatchObject({
      moreToDo: true,
      jobs: jobs.slice(0, 3).map(({ id }) => ({ id, dispatchNo: 1 })),
    });
    const { picture: _, ...second } = await dispatchJobs(ledger.db, 'default', testLane(3));
    expect(second).toEqual({
      jobs: [],
      lanes: [{ buildId: TEST_BUILD, inFlightBefore: 3, dispatched: [], ahead: new Set(), isFull: true }],
      moreToDo: true,
      heldBack: false,
      isSlowHeldBack: false,
      isRateReached: false,
      landings: [],
      waitingTypes: new Set(),
      lost: false,
      round: 1,
    });
    const [claimed] = await claimJobs(ledger.db, ledger.workerId, first.jobs);
    expect((await dispatchJobs(ledger.db, 'default', testLane(3))).jobs).toEqual([]);
    if (claimed) await recordOutcomes(ledger.db, [{ job: claimed, outcome: succeed }], VERSIONS);
    expect((await dispatchJobs(ledger.db, 'default', testLane(3))).jobs.map((job) => job.id)).toEqual(
      jobs.slice(3, 4).map((job) => job.id),
    );
  });

  test('dispatchers that race for a queue never dispatch a job twice', async () => {
    await insertJobs(
      ledger.db,
      Array.from({ length: 50 }, () => makeJob()),
    );
    const rounds = await Promise.all(
      Array.from({ length: 8 }, () => dispatchJobs(ledger.db, 'default', testLane(1_000))),
    );
    const ids = rounds.flatMap((round) => round.jobs.map((job) => job.id));
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
  });

  test('who looked in an older round marks nothing, and is told that the turn was lost', async () => {
    await ledger.insertOne();
    const taken = await ledger.db.transaction().execute(async (other) => {
      expect((await dispatchJobs(other, 'default', testLane(10))).jobs).toHaveLength(1);
      const late = dispatchJobs(ledger.db, 'default', testLane(10));
      await untilOneWaits(ledger.db);
      return { late };
    });
    expect(await taken.late).toMatchObject({ jobs: [], lost: true, moreToDo: true });
  });

  test('a turn whose only job is canceled while it is taken is not lost', async () => {
    const { id } = await ledger.insertOne();
    const { round } = await dispatchJobs(ledger.db, 'default', testLane(0));
    const turn = await ledger.db.transaction().execute(async (other) => {
      await other.deleteFrom('ready').where('job_id', '=', id).execute();
      const late = dispatchJobs(ledger.db, 'default', testLane(10));
      await untilOneWaits(ledger.db);
      return { late };
    });
    expect(await turn.late).toMatchObject({ jobs: [], lost: false, round: round + 1 });
    expect((await dispatchJobs(ledger.db, 'default', testLane(0))).round).toBe(round + 1);
  });

  test('what has room is marked in the order of priority', async () => {
    const tenantId = newUuid();
    const before = await dispatchJobs(ledger.db, 'default', testLane(10));
    const low = await ledger.insertOne({ tenantId, priority: 3 });
    const high = await ledger.insertOne({ tenantId, priority: 0 });
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10), before);
    expect(jobs.map((job) => job.id)).toEqual([high.id, low.id]);
  });

  test('a small tenant does not wait behind a large one', async () => {
    const [large, small] = [newUuid(), newUuid()];
    await insertJobs(
      ledger.db,
      Array.from({ length: 100 }, () => makeJob({ tenantId: large })),
    );
    const late = await ledger.insertOne({ tenantId: small });
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(4));
    expect(jobs.map((job) => job.id)).toContain(late.id);
  });

  test('no more jobs of a concurrency key are let through than its limit, and others pass them', async () => {
    const tenantId = newUuid();
    const limited = { tenantId, concurrencyKey: 'account-7', concurrencyLimit: 2 };
    await insertJobs(
      ledger.db,
      Array.from({ length: 20 }, () => makeJob(limited)),
    );
    const free = await ledger.insertOne({ tenantId });
    const first = await dispatchJobs(ledger.db, 'default', testLane(5));
    expect(first).toMatchObject({ jobs: [{}, {}], moreToDo: true });
    expect(await dispatchJobs(ledger.db, 'default', testLane(5), first)).toMatchObject({
      jobs: [{ id: free.id }],
      moreToDo: false,
    });
    const [claimed] = await claimJobs(ledger.db, ledger.workerId, first.jobs.slice(0, 1));
    expect((await dispatchJobs(ledger.db, 'default', testLane(5))).jobs).toEqual([]);
    if (claimed) await recordOutcomes(ledger.db, [{ job: claimed, outcome: succeed }], VERSIONS);
    expect((await dispatchJobs(ledger.db, 'default', testLane(5))).jobs).toHaveLength(1);
  });

  test('a due job is queued and a later one is not', async () => {
    const due = await ledger.insertOne({ delayMs: 60_000 });
    const later = await ledger.insertOne({ delayMs: 60_000 });
    await changeLive(ledger.db, sql`run_at = now()`, sql`job_id = ${due.id}`);
    expect(await queueDueJobs(ledger.db, 100)).toEqual(['default']);
    expect([(await ledger.readJob(due.id)).status, (await ledger.readJob(later.id)).status]).toEqual([
      'queued',
      'scheduled',
    ]);
  });
});

describe('lanes', () => {
  const tenantId = newUuid();
  const [GREETS, SINGS] = ['build-that-greets', 'build-that-sings'];
  const lanes = (greets: number, sings: number) => [
    { buildId: GREETS, size: greets },
    { buildId: SINGS, size: sings },
  ];
  beforeAll(async () => {
    await registerTestBuild(ledger.db, ['greet'], { id: GREETS, payloadSchema: { title: 'one' } });
    await registerTestBuild(ledger.db, ['greet', 'sing'], { id: SINGS, payloadSchema: { title: 'another' } });
  });
  const insert = async (type: string, count: number, overrides: Partial<NewJob> = {}) => {
    const jobs = Array.from({ length: count }, () => makeJob({ tenantId, type, ...overrides }));
    await insertJobs(ledger.db, jobs);
    return jobs.map(({ id }) => id);
  };
  const buildsOf = (jobs: DispatchedJob[]) => [...new Set(jobs.map(({ buildId }) => buildId))].sort();

  test('a job goes only to builds that have its type, and to the least busy one', async () => {
    await insert('sing', 3);
    const sung = await dispatchJobs(ledger.db, 'default', lanes(10, 3));
    expect([sung.jobs.length, buildsOf(sung.jobs)]).toEqual([3, [SINGS]]);
    await insert('greet', 3);
    const greeted = await dispatchJobs(ledger.db, 'default', lanes(10, 4));
    expect([greeted.jobs.length, buildsOf(greeted.jobs)]).toEqual([3, [GREETS]]);
  });

  test('a job does not go to a build whose schema refused its payload', async () => {
    const refusedBy = [schemaId({ title: 'one' })];
    await insert('greet', 5, { refusedBy });
    const turn = await dispatchJobs(ledger.db, 'default', lanes(10, 3));
    expect([turn.jobs.length, buildsOf(turn.jobs), turn.moreToDo]).toEqual([3, [SINGS], true]);
    expect((await dispatchJobs(ledger.db, 'default', lanes(10, 0))).jobs).toEqual([]);
  });

  test('jobs that nobody takes, and those of a full lane, hide no others, and are not looked at again and again', async () => {
    await insert('unknown', 50);
    await insert('greet', 50, { refusedBy: [{ title: 'one' }, { title: 'another' }].map(schemaId) });
    await insert('sing', 50);
    const [late] = await insert('greet', 1);
    const first = await dispatchJobs(ledger.db, 'default', lanes(5, 0));
    expect(first.jobs).toMatchObject([{ id: late, buildId: GREETS }]);
    const second = await dispatchJobs(ledger.db, 'default', lanes(5, 100));
    expect([second.jobs.length, buildsOf(second.jobs)]).toEqual([50, [SINGS]]);
    expect(await dispatchJobs(ledger.db, 'default', lanes(5, 100))).toMatchObject({
      jobs: [],
      moreToDo: false,
    });
  });

  test('an old and a new build share what both take, each up to its own window', async () => {
    await insert('greet', 30);
    const { jobs } = await dispatchJobs(ledger.db, 'default', lanes(8, 4));
    expect(jobs.filter(({ buildId }) => buildId === GREETS)).toHaveLength(8);
    expect(jobs.filter(({ buildId }) => buildId === SINGS)).toHaveLength(4);
  });

  test('what waits for builds that no live worker has is taken back, and nothing else', async () => {
    await insert('sing', 2);
    const { jobs } = await dispatchJobs(ledger.db, 'default', lanes(1, 2));
    await insert('greet', 1);
    await dispatchJobs(ledger.db, 'default', lanes(1, 0));
    const id = newUuid();
    const worker = { id, hostname: 'test', pid: 1, queues: ['default'], concurrency: 1, buildId: GREETS };
    await registerWorker(ledger.db, worker);
    expect(await takeBackFromGoneBuilds(ledger.db)).toEqual(new Map([['default', 2]]));
    expect(await claimJobs(ledger.db, ledger.workerId, jobs)).toEqual([undefined, undefined]);
    await markDraining(ledger.db, id);
    expect(await takeBackFromGoneBuilds(ledger.db, ['other'])).toEqual(new Map());
    expect(await takeBackFromGoneBuilds(ledger.db, ['default'])).toEqual(new Map([['default', 1]]));
  });
});

/** Resolves when a statement waits for the lock of another transaction. */
async function untilOneWaits(db: Database): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await sql`SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
      return rows.length;
    })
    .toBe(1);
}
