import { schemaId } from '@accepted/shared/core/job/build';
import { newUuid } from '@accepted/shared/core/job/id';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { expireJobs, listOverdueJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { nextDueInMs, queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { listOrphanedJobs, listOwnJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { listUnclaimed, takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { forgetLostWorkers, registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { finishJobs } from '@accepted/testing/move-jobs';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { succeed, VERSIONS } from './ledger.ts';

const FINISHED = 3_000;
const BATCH = 1_000;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let worker: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 };
  const options = { url: database.url, applicationName: 'test', maxConnections: 1, indexPlansOnly: true };
  worker = openDatabase({ ...options, ...timeouts }, () => undefined);
  await registerTestBuild(worker);
  const lost = {
    id: newUuid(),
    hostname: 'test',
    pid: 1,
    queues: ['default'],
    concurrency: 1,
    buildId: TEST_BUILD,
  };
  await registerWorker(worker, lost);
  await sql`UPDATE workers SET lost_at = now() - interval '2 days'`.execute(worker);
  for (let made = 0; made < FINISHED; made += BATCH)
    await insertJobs(
      worker,
      Array.from({ length: BATCH }, () => makeJob({ ttlMs: 1 })),
    );
  await finishJobs(worker);
  await sql`VACUUM (ANALYZE) jobs, attempts, ready, blocked, due, in_flight`.execute(worker);
});
afterAll(async () => {
  await worker.destroy();
  await database.drop();
});

test.each<[string, (db: Database) => Promise<unknown>]>([
  ['the dispatcher', (db) => dispatchJobs(db, 'default', testLane(100))],
  ['the loop of due jobs', (db) => queueDueJobs(db, 100)],
  ['the wait of that loop', nextDueInMs],
  ['the reconciler', (db) => listUnclaimed(db, 0)],
  ['the end of builds', (db) => takeBackFromGoneBuilds(db)],
  ['the expirer', (db) => expireJobs(db, 100)],
  ['the expirer, one by one', (db) => listOverdueJobs(db, 100)],
  ['the rescuer', (db) => listOrphanedJobs(db, 100)],
  ['the check of own jobs', (db) => listOwnJobs(db, newUuid())],
  ['the end of lost workers', forgetLostWorkers],
])('%s does not read finished jobs', async (_name, look) => {
  const before = await countRead();
  await look(worker);
  expect((await countRead()) - before).toBeLessThan(100);
});

test('a turn costs no more for jobs that no build takes, or a full lane, however many wait', async () => {
  const tenantId = newUuid();
  const waiting = { tenantId, queue: 'waiting' };
  const refusedBy = [schemaId({})];
  await registerTestBuild(worker, ['busy'], { id: 'full' });
  await insertJobs(worker, [
    ...Array.from({ length: BATCH }, () => makeJob({ ...waiting, type: 'unknown' })),
    ...Array.from({ length: BATCH }, () => makeJob({ ...waiting, type: 'busy' })),
    ...Array.from({ length: BATCH }, () => makeJob({ ...waiting, refusedBy })),
    makeJob(waiting),
  ]);
  const before = await countRead();
  const lanes = [...testLane(50), { buildId: 'full', size: 0 }];
  expect((await dispatchJobs(worker, 'waiting', lanes)).jobs).toHaveLength(1);
  expect((await countRead()) - before).toBeLessThan(100);
});

test('a turn reads nothing of what waits for a tenant that has its share', async () => {
  const tenantId = newUuid();
  await insertJobs(
    worker,
    Array.from({ length: BATCH }, () => makeJob({ tenantId, queue: 'shared' })),
  );
  const lanes = testLane(50).map((lane) => ({ ...lane, mostPerTenant: { all: 5, slow: 5 } }));
  expect((await dispatchJobs(worker, 'shared', lanes)).jobs).toHaveLength(5);
  const before = await countRead();
  expect(await dispatchJobs(worker, 'shared', lanes)).toMatchObject({ jobs: [], heldBack: true });
  expect((await countRead()) - before).toBeLessThan(40);
});

test('the statements of a job are planned once', async () => {
  const workerId = newUuid();
  await registerWorker(worker, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: [],
    concurrency: 1,
    buildId: TEST_BUILD,
  });
  for (let run = 0; run < 10; run += 1) {
    await insertJobs(database.db, [makeJob()]);
    const { jobs } = await dispatchJobs(worker, 'default', testLane(10));
    const claimed = await claimJobs(worker, workerId, jobs);
    const ended = claimed.flatMap((job) => (job ? [{ job, outcome: succeed }] : []));
    expect(await recordOutcomes(worker, ended, VERSIONS)).toEqual(['succeeded']);
  }
  const { rows } = await sql<{ name: string; custom: number }>`
    SELECT name, custom_plans::int AS custom FROM pg_prepared_statements
    WHERE name IN ('hear-queue', 'take-jobs', 'claim-jobs', 'write-outcomes') ORDER BY name`.execute(worker);
  expect(rows).toEqual([
    { name: 'claim-jobs', custom: 0 },
    { name: 'hear-queue', custom: 0 },
    { name: 'take-jobs', custom: 0 },
    { name: 'write-outcomes', custom: 0 },
  ]);
});

/**
 * Counts the entries of indexes and the rows of scans that were read in the jobs' tables so far. What others have read
 * may be added late: only `worker` is made to tell at once, so everything here that reads jobs goes through it.
 */
async function countRead(): Promise<number> {
  await sql`SELECT pg_stat_force_next_flush()`.execute(worker);
  const { rows } = await sql<{ read: number }>`
    SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname ~ '^(jobs|attempts|ready|blocked|due|in_flight)')
      + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname ~ '^(jobs|attempts|ready|blocked|due|in_flight)'))::float8 AS read`.execute(
    database.db,
  );
  return rows[0]?.read ?? Number.NaN;
}
