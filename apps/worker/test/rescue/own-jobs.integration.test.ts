import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { startTcpProxy, type TcpProxy } from '@accepted/testing/tcp-proxy';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase, openTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Claimer, createClaimer } from '../../src/path/claimer.ts';
import { createRecorder } from '../../src/path/recorder.ts';
import { createRunningAttempts } from '../../src/path/running-attempts.ts';
import { type OwnJobsCheck, startOwnJobsCheck } from '../../src/services/rescue/own-jobs.ts';

const HEARTBEAT_MS = 50;
const logger = pino({ level: 'silent' });

let database: TestDatabase;
let proxy: TcpProxy;
let claims: TestDatabase['db'];
let workerId: string;
let claimer: Claimer;
let check: OwnJobsCheck;

/** A claimer behind a link that a test can cut, and the check of its jobs on another one. */
beforeEach(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db);
  const url = new URL(database.url);
  proxy = await startTcpProxy({ target: { host: url.hostname, port: Number(url.port) } });
  url.port = String(proxy.port);
  claims = openTestDatabase(url.href, 1);
  workerId = await startLease();
  const { db } = database;
  claimer = createClaimer({ db: claims, workerId: () => workerId, isClosing: () => false, logger });
  check = startOwnJobsCheck({
    db,
    lease: { workerId: () => workerId },
    running: createRunningAttempts(),
    claimer,
    recorder: createRecorder({ db, versions: {}, logger }),
    heartbeatMs: HEARTBEAT_MS,
    logger,
  });
});
afterEach(async () => {
  await check.stop();
  await claims.destroy();
  await proxy.close();
  await database.drop();
});

async function startLease(): Promise<string> {
  const id = newUuid();
  await registerWorker(database.db, {
    id,
    hostname: 'test',
    pid: 1,
    queues: ['default'],
    concurrency: 10,
    buildId: TEST_BUILD,
  });
  return id;
}

async function dispatchOne() {
  const job = makeJob();
  await insertJobs(database.db, [job]);
  const { jobs } = await dispatchJobs(database.db, 'default', testLane(1));
  return { id: job.id, dispatchNo: jobs[0]?.dispatchNo ?? 0 };
}

const statusOf = async (id: string) => {
  const row = await database.db
    .selectFrom('current_jobs')
    .select('status')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.status;
};

/** Claims a job, and returns once the ledger has committed that while the answer is held back. */
async function claimWithoutAnswer() {
  await sql`SELECT 1`.execute(claims);
  const delivery = await dispatchOne();
  proxy.halfOpen();
  const answer = claimer.claim(delivery);
  await waitUntil(async () => (await statusOf(delivery.id)) === 'running', {
    until: 'the claim is committed',
  });
  return { id: delivery.id, answer };
}

/** Returns once the check has given up another job, which it does after the second look at it. */
async function twoLooks(): Promise<void> {
  const delivery = await dispatchOne();
  await claimJobs(database.db, workerId, [delivery]);
  await waitUntil(async () => (await statusOf(delivery.id)) === 'queued', {
    until: 'the other job is released',
  });
}

test('a job whose claim is answered late is not given away meanwhile', async () => {
  const { id, answer } = await claimWithoutAnswer();
  await twoLooks();
  expect(await statusOf(id)).toBe('running');
  proxy.heal();
  expect(await answer).toMatchObject({ id, attempt: 1 });
});

test('a job whose claim lost its answer is released', async () => {
  const { id } = await claimWithoutAnswer();
  proxy.resetAll();
  proxy.heal();
  await waitUntil(async () => (await statusOf(id)) === 'queued', { until: 'the job is given back' });
});

test('a job whose claim is answered after the lease was lost is not run', async () => {
  const { answer } = await claimWithoutAnswer();
  workerId = await startLease();
  proxy.heal();
  expect(await answer).toBeUndefined();
});
