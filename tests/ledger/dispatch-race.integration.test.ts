import { newUuid } from '@accepted/shared/core/job/id';
import { priorityRank } from '@accepted/shared/core/job/priority';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { makeJob } from '@accepted/testing/factories';
import { testLane } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

/** How many dispatchers wait for their turn in this statement. */
async function waitingIn(statement: 'hear-queue' | 'take-jobs' | 'take-limited-jobs'): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE ${`%${statement}%`}`.execute(
    ledger.db,
  );
  return rows[0]?.count ?? 0;
}

test('of two dispatchers that chose different jobs of a key at its limit at the same time, one marks nothing', async () => {
  const { db } = ledger;
  const keyed = {
    tenantId: '0190a5ad-4a9e-7000-8000-000000000000',
    concurrencyKey: 'k',
    concurrencyLimit: 1,
  };
  await ledger.insertOne(keyed);
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = db.transaction().execute(async (tx) => {
    await sql`SELECT FROM queues WHERE name = 'default' FOR UPDATE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;
  const first = dispatchJobs(db, 'default', testLane(10));
  await waitUntil(async () => (await waitingIn('take-limited-jobs')) === 1, {
    until: 'the first has chosen',
  });
  await ledger.insertOne({ ...keyed, priority: priorityRank('critical') });
  const second = dispatchJobs(db, 'default', testLane(10));
  await waitUntil(async () => (await waitingIn('take-limited-jobs')) === 2, {
    until: 'the second has chosen',
  });
  release();
  await locker;

  const turns = await Promise.all([first, second]);
  expect(turns.flatMap((turn) => turn.jobs)).toHaveLength(1);
  expect(turns.map((turn) => turn.lost).sort()).toEqual([false, true]);
});

test('one that found room for all jobs marks none when another filled the window with urgent ones meanwhile', async () => {
  const { db } = ledger;
  const tenantId = newUuid();
  const makeJobs = (priority: number) => Array.from({ length: 8 }, () => makeJob({ tenantId, priority }));
  await insertJobs(db, makeJobs(priorityRank('normal')));
  const urgent = makeJobs(priorityRank('critical'));
  const late = await db.transaction().execute(async (other) => {
    await insertJobs(other, urgent);
    const { jobs } = await dispatchJobs(other, 'default', testLane(urgent.length));
    expect(jobs.map(({ id }) => id)).toEqual(urgent.map(({ id }) => id));
    const waiting = dispatchJobs(db, 'default', testLane(urgent.length));
    await waitUntil(async () => (await waitingIn('take-jobs')) === 1, { until: 'the other has looked' });
    return { waiting };
  });
  expect(await late.waiting).toMatchObject({ jobs: [], lost: true });
});
