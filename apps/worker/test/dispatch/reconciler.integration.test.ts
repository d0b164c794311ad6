import { newUuid } from '@accepted/shared/core/job/id';
import { laneName } from '@accepted/shared/engine/names';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { openTestEngine } from '@accepted/testing/test-engine';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createWorkerCounters } from '../../src/metrics/worker-counters.ts';
import { startReconciler } from '../../src/services/dispatch/reconciler.ts';

const QUEUE = 'default';

const LANE = { queue: QUEUE, buildId: TEST_BUILD };

/** Opens a ledger with a worker, on the engine that has it, and reconciles until jobs were taken back. */
async function openRig(redis?: RedisServer) {
  const database = await createTestDatabase({ engine: 'postgres' });
  const { db } = database;
  await registerTestBuild(db);
  const worker = { hostname: 'test', pid: 1, queues: [QUEUE], concurrency: 5, buildId: TEST_BUILD };
  await registerWorker(db, { id: newUuid(), ...worker });
  const engine = openTestEngine({ databaseUrl: database.url, redisUrl: redis?.url });
  return {
    db,
    engine,
    async reconcile() {
      const counters = createWorkerCounters();
      const told = Promise.withResolvers<string>();
      const logger = pino({ level: 'silent' });
      const asked = { db, engine, queueHasWork: told.resolve, counters, logger };
      const reconciler = startReconciler(asked);
      expect(await told.promise).toBe(QUEUE);
      await reconciler.stop();
      return counters;
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await database.drop();
    },
  };
}

test('exactly the dispatched jobs that the engine has lost are taken back, told of and counted', async () => {
  await using rig = await openRig();
  const { db, engine } = rig;
  await insertJobs(db, [makeJob(), makeJob(), makeJob()]);
  const [kept, ...lost] = (await dispatchJobs(db, QUEUE, testLane(3))).jobs;
  if (!kept) throw new Error('Nothing was dispatched.');
  await sql`UPDATE in_flight SET dispatched_at = now() - interval '10 s'`.execute(db);
  await engine.deliver(LANE, [[kept]]);

  const counters = await rig.reconcile();

  const waiting = await db
    .selectFrom('current_jobs')
    .select('id')
    .where('dispatched_at', 'is', null)
    .execute();
  expect(waiting.map(({ id }) => id).sort()).toEqual(lost.map(({ id }) => id).sort());
  expect(counters.take()).toEqual([{ name: 'redispatched', queue: QUEUE, label: '', by: 2 }]);
});

test('what was dispatched just before a wipe is taken back at the second look', async () => {
  await using redis = await startRedisServer();
  await using rig = await openRig(redis);
  const { db, engine } = rig;
  await waitUntil(() => engine.isReady(), { until: 'the engine is there' });
  await insertJobs(db, [makeJob()]);
  await dispatchJobs(db, QUEUE, testLane(1));
  const startedAt = performance.now();

  await rig.reconcile();

  // At the third look it is old enough in any case.
  expect(performance.now() - startedAt).toBeLessThan(2_500);
});

test('a job that the engine works on for longer than any worker takes to claim it is taken back', async () => {
  await using rig = await openRig();
  const { db, engine } = rig;
  await insertJobs(db, [makeJob(), makeJob()]);
  const [hanging, busy] = (await dispatchJobs(db, QUEUE, testLane(2))).jobs;
  if (!hanging || !busy) throw new Error('Nothing was dispatched.');
  await engine.deliver(LANE, [[hanging], [busy]]);
  const over = Promise.withResolvers<void>();
  // Takes both, and holds them under locks that it renews for ever.
  const consumer = engine.consume(LANE, () => over.promise, { concurrency: 2 });
  const lane = engine.store.queue(laneName(LANE));
  await waitUntil(async () => (await lane.getActiveCount()) === 2, { until: 'both are taken' });
  await sql`UPDATE in_flight SET dispatched_at = now() - CASE WHEN job_id = ${hanging.id} THEN interval '31 s'
    ELSE interval '20 s' END`.execute(db);

  await rig.reconcile();
  over.resolve();
  await consumer.close();
  const ready = await db.selectFrom('current_jobs').select('id').where('dispatched_at', 'is', null).execute();
  expect(ready).toEqual([{ id: hanging.id }]);
});
