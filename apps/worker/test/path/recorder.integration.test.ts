import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import { newUuid } from '@accepted/shared/core/job/id';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRecorder } from '../../src/path/recorder.ts';

const STATEMENT_TIMEOUT_MS = 300;
const MIB = 2 ** 20;

let database: TestDatabase;
let impatient: ReturnType<typeof openDatabase>;
beforeEach(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db);
  const limits = { maxConnections: 5, connectTimeoutMs: 5_000, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  impatient = openDatabase({ url: database.url, applicationName: 'test', ...limits }, () => undefined);
});
afterEach(async () => {
  await impatient.destroy();
  await database.drop();
});

async function claimSome(count: number): Promise<ClaimedJob[]> {
  const { db } = database;
  const workerId = newUuid();
  await registerWorker(db, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: ['default'],
    concurrency: count,
    buildId: TEST_BUILD,
  });
  await insertJobs(
    db,
    Array.from({ length: count }, () => makeJob()),
  );
  const claimed = await claimJobs(db, workerId, (await dispatchJobs(db, 'default', testLane(count))).jobs);
  return claimed.filter((job) => job !== undefined);
}

const recorder = (db = impatient) => createRecorder({ db, versions: {}, logger: pino({ level: 'silent' }) });

test('an outcome whose job is locked keeps none of its batch from being recorded, and is recorded later', async () => {
  const [locked, ...others] = await claimSome(6);
  const { record } = recorder();
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: hasLocked } = Promise.withResolvers<void>();
  const locker = database.db.transaction().execute(async (tx) => {
    await sql`SELECT FROM in_flight WHERE job_id = ${locked?.id} FOR UPDATE`.execute(tx);
    hasLocked();
    await mayEnd;
  });
  await isLocked;
  const outcome = { kind: 'succeed', resultJson: '1' } as const;
  const late = record({ job: locked as ClaimedJob, outcome });

  expect(await Promise.all(others.map((job) => record({ job, outcome })))).toEqual(
    others.map(() => 'succeeded'),
  );
  release();
  await locker;
  expect(await late).toBe('succeeded');
});

test('outcomes that are too many bytes for one statement are written in several', async () => {
  const jobs = await claimSome(12);
  const resultJson = JSON.stringify('x'.repeat(MIB));
  const { record } = recorder(database.db);
  const outcome = { kind: 'succeed', resultJson } as const;
  expect(await Promise.all(jobs.map((job) => record({ job, outcome })))).toEqual(jobs.map(() => 'succeeded'));
  const { rows } = await sql<{ statements: number }>`
    SELECT count(DISTINCT xmin::text)::int AS statements FROM attempts`.execute(database.db);
  expect(rows[0]?.statements).toBeGreaterThanOrEqual(12 / 4);
});
