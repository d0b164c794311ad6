import { newUuid } from '@accepted/shared/core/job/id';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClaimer } from '../../src/path/claimer.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db);
});
afterEach(() => database.drop());

test('a worker that is closing leaves what it was delivered to others at once', async () => {
  const { db } = database;
  await insertJobs(db, [makeJob({ queue: 'closing' }), makeJob({ queue: 'closing' })]);
  const { jobs } = await dispatchJobs(db, 'closing', testLane(10));
  expect(jobs).toHaveLength(2);
  const workerId = newUuid();
  await registerWorker(db, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: ['closing'],
    concurrency: 1,
    buildId: TEST_BUILD,
  });
  const logger = pino({ level: 'silent' });
  const claimer = createClaimer({ db, workerId: () => workerId, isClosing: () => true, logger });
  expect(await Promise.all(jobs.map(claimer.claim))).toEqual([undefined, undefined]);
  const rows = await db
    .selectFrom('current_jobs')
    .select(['status', 'dispatched_at', 'attempts_made'])
    .execute();
  expect(rows).toEqual(Array(2).fill({ status: 'queued', dispatched_at: null, attempts_made: 0 }));
  expect((await dispatchJobs(db, 'closing', testLane(10))).jobs).toHaveLength(2);
});
