import { dispatchJobs } from '@accepted/shared/database/dispatch-jobs';
import { priorityRank } from '@accepted/shared/job/priority';
import { testLane } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

/** How many dispatchers have chosen their jobs and wait to mark them. */
async function waitingToMark(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%mark-dispatched%'`.execute(
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
  await waitUntil(async () => (await waitingToMark()) === 1, { until: 'the first has chosen' });
  await ledger.insertOne({ ...keyed, priority: priorityRank('critical') });
  const second = dispatchJobs(db, 'default', testLane(10));
  await waitUntil(async () => (await waitingToMark()) === 2, { until: 'the second has chosen' });
  release();
  await locker;

  const turns = await Promise.all([first, second]);
  expect(turns.flatMap((turn) => turn.jobs)).toHaveLength(1);
  expect(turns.map((turn) => turn.lost).sort()).toEqual([false, true]);
});
