import { newUuid } from '@accepted/shared/core/job/id';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { listCatalog } from '@accepted/shared/ledger/workers/catalog';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { MIGRATIONS_DIR, openTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, VERSIONS } from './ledger.ts';
import { migrateUpTo, type TestLedger } from './migrate-up-to.ts';

const OLD_WORKER = newUuid();

test('jobs and workers from before builds go on, and newer workers run what the older ones leave', async () => {
  await using server = await startPostgresServer();
  await using db = openTestDatabase(server.url);
  await migrateUpTo(db, '0008_lanes');
  await insertWorkerAsBefore(db);
  const ready = await insertAsBefore(db);
  const dispatched = await insertAsBefore(db, { isDispatched: true });

  await migrateLedger(server.url, MIGRATIONS_DIR);

  expect(await listCatalog(db)).toMatchObject([{ type: 'test.noop', schemaId: null, otherSchemas: [] }]);
  expect(await takeBackFromGoneBuilds(db)).toEqual(new Map());
  await registerTestBuild(db);
  expect(await succeedAll(db)).toEqual([ready]);
  await sql`DELETE FROM workers WHERE id = ${OLD_WORKER}`.execute(db);
  expect(await takeBackFromGoneBuilds(db)).toEqual(new Map([['default', 1]]));
  expect(await succeedAll(db)).toEqual([dispatched]);
});

async function insertWorkerAsBefore(db: TestLedger): Promise<void> {
  await sql`INSERT INTO queues (name) VALUES ('default')`.execute(db);
  await sql`INSERT INTO job_types (type, queue, payload_schema, defaults)
    VALUES ('test.noop', 'default', '{}', '{}')`.execute(db);
  await sql`INSERT INTO workers (id, hostname, pid, queues, concurrency)
    VALUES (${OLD_WORKER}, 'test', 1, '{default}', 1)`.execute(db);
}

async function insertAsBefore(db: TestLedger, { isDispatched = false } = {}): Promise<string> {
  const id = newUuid();
  await sql`INSERT INTO jobs (id, tenant_id, type, queue, status, priority, payload, max_attempts, backoff,
      timeout_ms, run_at, tags, metadata, dispatch_no, dispatched_at)
    VALUES (${id}, ${newUuid()}, 'test.noop', 'default', 'queued', 2, '{"a": 1}', 3, '{}', 1000, now(), '[]', '{}',
      ${isDispatched ? 1 : 0}, CASE WHEN ${isDispatched} THEN now() END)`.execute(db);
  return id;
}

/** Takes all that is ready to its end as a worker of the test build, and answers the jobs' ids in their order. */
async function succeedAll(db: TestLedger): Promise<string[]> {
  const id = newUuid();
  const worker = { id, hostname: 'test', pid: 1, queues: ['default'], concurrency: 1, buildId: TEST_BUILD };
  await registerWorker(db, worker);
  const { jobs } = await dispatchJobs(db, 'default', testLane(100));
  const claimed = (await claimJobs(db, id, jobs)).flatMap((job) => job ?? []);
  const ended = claimed.map((job) => ({ job, outcome: succeed }));
  expect(await recordOutcomes(db, ended, VERSIONS)).toEqual(jobs.map(() => 'succeeded'));
  return claimed.map((job) => job.id).sort();
}
