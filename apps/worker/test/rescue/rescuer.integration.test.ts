import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { listOrphanedJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { markLostWorkers, registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { changeLive } from '@accepted/testing/move-jobs';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorkerCounters } from '../../src/metrics/worker-counters.ts';
import { createRecorder } from '../../src/path/recorder.ts';
import type { Loop } from '../../src/services/loop.ts';
import { startRescuer } from '../../src/services/rescue/rescuer.ts';

const logger = pino({ level: 'silent' });
const LEASE_MS = 60_000;
const MAX_LOSSES = 5;

let database: TestDatabase;
let rescuerId: string;
let rescuer: Loop | undefined;

beforeEach(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db);
  rescuerId = await startWorker();
  await sql`UPDATE workers SET steady_since = now() - interval '1 h' WHERE id = ${rescuerId}`.execute(
    database.db,
  );
});
afterEach(async () => {
  await rescuer?.stop();
  rescuer = undefined;
  await database.drop();
});

async function startWorker(): Promise<string> {
  const id = newUuid();
  const worker = { id, hostname: 'test', pid: 1, queues: ['default'], concurrency: 10, buildId: TEST_BUILD };
  await registerWorker(database.db, worker);
  return id;
}

function startRescuing(): void {
  rescuer = startRescuer({
    db: database.db,
    lease: { workerId: () => rescuerId },
    leaseMs: LEASE_MS,
    heartbeatMs: LEASE_MS,
    maxLosses: MAX_LOSSES,
    versions: {},
    queueHasWork: () => undefined,
    counters: createWorkerCounters(),
    logger,
  });
}

/** Has a worker claim whatever waits, and then fall silent. */
async function loseAllThatWaits(): Promise<void> {
  const workerId = await startWorker();
  const { jobs } = await dispatchJobs(database.db, 'default', testLane(1_000));
  await claimJobs(database.db, workerId, jobs);
  await sql`UPDATE workers SET heartbeat_at = now() - interval '1 h' WHERE id = ${workerId}`.execute(
    database.db,
  );
  rescuer?.wake();
}

async function submit(count: number): Promise<void> {
  await insertJobs(
    database.db,
    Array.from({ length: count }, () => makeJob({ maxAttempts: 1, queue: 'default' })),
  );
}

const jobs = () =>
  database.db.selectFrom('current_jobs').select(['status', 'suspect', 'losses', 'attempts_made']).execute();

const noneRuns = () =>
  waitUntil(async () => (await jobs()).every(({ status }) => status !== 'running'), {
    until: 'all jobs are rescued',
  });

test('of many jobs that were lost with one worker none loses an attempt, in whatever batches they are rescued', async () => {
  await submit(401);
  await loseAllThatWaits();
  startRescuing();
  await noneRuns();
  expect(await jobs()).toEqual(
    Array(401).fill({ status: 'queued', suspect: true, losses: 1, attempts_made: 0 }),
  );
});

test('a job that a rescuer left behind when it died half-way is not taken for one that ran alone', async () => {
  await submit(2);
  await loseAllThatWaits();
  await markLostWorkers(database.db, { rescuerId, leaseMs: LEASE_MS, heartbeatMs: LEASE_MS });
  const [first] = await listOrphanedJobs(database.db, 1);
  if (!first) throw new Error('There is no orphan.');
  const { record } = createRecorder({ db: database.db, versions: {}, logger });
  await record({ job: first, outcome: { kind: 'succeed', resultJson: '1' } });

  startRescuing();
  await noneRuns();
  expect((await jobs()).filter(({ status }) => status !== 'succeeded')).toEqual([
    { status: 'queued', suspect: true, losses: 1, attempts_made: 0 },
  ]);
});

test('a job that ran alone loses its attempt, as only it can have killed the worker', async () => {
  await submit(1);
  await loseAllThatWaits();
  startRescuing();
  await noneRuns();
  expect(await jobs()).toEqual([{ status: 'failed', suspect: true, losses: 0, attempts_made: 1 }]);
});

test('a suspect that is lost alone with its worker loses no attempt, as its own process did not die of it', async () => {
  await submit(1);
  await changeLive(database.db, sql`suspect = true`);
  await loseAllThatWaits();
  startRescuing();
  await noneRuns();
  expect(await jobs()).toEqual([{ status: 'queued', suspect: true, losses: 1, attempts_made: 0 }]);
});

test('a job whose workers are lost again and again is poison after the fifth time', async () => {
  await submit(2);
  startRescuing();
  for (let loss = 1; loss < MAX_LOSSES; loss += 1) {
    await loseAllThatWaits();
    await noneRuns();
    expect(await jobs()).toEqual(
      Array(2).fill({ status: 'queued', suspect: true, losses: loss, attempts_made: 0 }),
    );
  }
  await loseAllThatWaits();
  await noneRuns();
  expect((await jobs()).map(({ status }) => status)).toEqual(['failed', 'failed']);
  const letters = await database.db.selectFrom('dead_letters').select(['reason', 'error']).execute();
  expect(letters).toMatchObject(
    Array(2).fill({
      reason: 'poison',
      error: { code: 'worker_lost', message: expect.stringContaining('lost 5 times') },
    }),
  );
});
