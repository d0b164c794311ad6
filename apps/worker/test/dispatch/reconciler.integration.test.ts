import { dispatchJobs } from '@accepted/shared/database/dispatch-jobs';
import { insertJobs } from '@accepted/shared/database/insert-jobs';
import { registerWorker } from '@accepted/shared/database/workers';
import { newUuid } from '@accepted/shared/job/id';
import { addToEngine } from '@accepted/shared/queue/engine';
import { laneName } from '@accepted/shared/queue/lane-name';
import { openEngine } from '@accepted/shared/queue/open-engine';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startReconciler } from '../../src/dispatch/reconciler.ts';
import { createWorkerCounters } from '../../src/metrics/worker-counters.ts';

const QUEUE = 'default';

test('exactly the dispatched jobs that the engine has lost are taken back, told of and counted', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  const { db } = database;
  await registerTestBuild(db);
  const worker = { hostname: 'test', pid: 1, queues: [QUEUE], concurrency: 5, buildId: TEST_BUILD };
  await registerWorker(db, { id: newUuid(), ...worker });
  await insertJobs(db, [makeJob(), makeJob(), makeJob()]);
  const [kept, ...lost] = (await dispatchJobs(db, QUEUE, testLane(3))).jobs;
  if (!kept) throw new Error('Nothing was dispatched.');
  await sql`UPDATE jobs SET dispatched_at = now() - interval '10 s'`.execute(db);
  const engine = openEngine({ databaseUrl: database.url, redisUrl: undefined, onError: () => undefined });
  await addToEngine(engine, laneName(QUEUE, TEST_BUILD), [[kept]]);

  const counters = createWorkerCounters();
  const told = Promise.withResolvers<string>();
  const reconciler = startReconciler({
    db,
    engine,
    queues: [QUEUE],
    onTakenBack: told.resolve,
    counters,
    logger: pino({ level: 'silent' }),
  });
  expect(await told.promise).toBe(QUEUE);
  await reconciler.stop();
  await engine.close();

  const waiting = await db.selectFrom('jobs').select('id').where('dispatched_at', 'is', null).execute();
  expect(waiting.map(({ id }) => id).sort()).toEqual(lost.map(({ id }) => id).sort());
  expect(counters.take()).toEqual([{ name: 'redispatched', queue: QUEUE, label: '', by: 2 }]);
});
