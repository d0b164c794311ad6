import { newUuid } from '@accepted/shared/core/job/id';
import { openEngine } from '@accepted/shared/engine/open-engine';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startDispatcher } from '../../src/services/dispatch/dispatcher.ts';

const QUEUE = 'default';
/** A second, and what a machine that is busy with other tests adds. */
const IN_FORCE_MS = 1_250;

test('a pause that comes while a dispatcher runs has back what waits in the engine, soon, and ends as soon', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  const { db } = database;
  await registerTestBuild(db);
  const workerId = newUuid();
  const worker = { hostname: 'test', pid: 1, queues: [QUEUE], concurrency: 5, buildId: TEST_BUILD };
  await registerWorker(db, { id: workerId, ...worker });
  const engine = openEngine({ databaseUrl: database.url, redisUrl: undefined, onError: () => undefined });
  const dispatcher = startDispatcher({
    ...{ db, engine, queue: QUEUE },
    times: { slowTypes: () => [] },
    share: { mostInFlight: () => undefined },
    logger: pino({ level: 'silent' }),
    onError: () => undefined,
  });
  const inFlight = () =>
    db.selectFrom('in_flight').select(['job_id as id', 'dispatch_no as dispatchNo']).execute();
  const until = (jobs: number) =>
    waitUntil(async () => (await inFlight()).length === jobs, {
      until: `${jobs} jobs are in flight`,
      timeoutMs: IN_FORCE_MS,
    });

  await insertJobs(db, [makeJob(), makeJob(), makeJob()]);
  dispatcher.wake();
  await until(3);
  expect(await claimJobs(db, workerId, (await inFlight()).slice(0, 1))).toHaveLength(1);
  await sql`UPDATE queues SET paused_at = now() WHERE name = ${QUEUE}`.execute(db);
  await until(1);
  await insertJobs(db, [makeJob()]);
  dispatcher.wake();
  await sql`UPDATE queues SET paused_at = NULL WHERE name = ${QUEUE}`.execute(db);
  await until(4);
  await dispatcher.stop();
  await engine.close();
});
