import { defineJob } from '@accepted/job';
import type { Engine } from '@accepted/shared/engine/engine';
import { openEngine } from '@accepted/shared/engine/open-engine';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { makeJob } from '@accepted/testing/factories';
import { createTestDatabase, openTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { createTestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { pino } from 'pino';
import { z } from 'zod';
import { startWorker } from '../../src/services.ts';

const CONFIG = {
  WORKER_CONCURRENCY: 10,
  WEBHOOK_CONCURRENCY: 10,
  LEASE_MS: 5_000,
  HEARTBEAT_MS: 200,
  MAX_LOSSES: 5,
  MAX_TENANT_SHARE: 80,
  WATCHDOG_MS: 10_000,
  RETENTION_DAYS: 30,
  SHUTDOWN_TIMEOUT_MS: 4_000,
  LOG_LEVEL: 'silent',
} as const;

/** Whole workers on an engine, and what a test does with jobs that die there. */
export interface WorkerRig {
  database: TestDatabase;
  /** Starts a worker that serves one queue, named as its only job type. */
  startWorker(queue: string, run: (jobId: string) => void | Promise<void>): Promise<void>;
  stopWorkers(): Promise<void>;
  /** Submits jobs that have one attempt, and waits until all of them are dead. */
  dieInWorkers(queue: string, tenantId: string, count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkerRig(kind: Engine['kind']): Promise<WorkerRig> {
  const [database, redis] = await Promise.all([createTestDatabase({ engine: kind }), createTestRedis()]);
  const redisUrl = kind === 'redis' ? redis.url : undefined;
  let stops: (() => Promise<void>)[] = [];

  return {
    database,
    async startWorker(queue, run) {
      const definition = defineJob({
        type: queue,
        queue,
        payload: z.unknown(),
        run: async (_, ctx) => run(ctx.job.id),
      });
      const db = openTestDatabase(database.url);
      const heartbeatDb = openTestDatabase(database.url, 1);
      const engine = openEngine({ databaseUrl: database.url, redisUrl, onError: () => undefined });
      const worker = await startWorker({
        config: { ...CONFIG, ALLOW_PRIVATE_NETWORKS: [], DATABASE_URL: database.url },
        db,
        heartbeatDb,
        engine,
        handlers: [{ type: queue, queue, definition }],
        versions: { accepted: 'test' },
        onDeaf: () => undefined,
        logger: pino({ level: 'silent' }),
      });
      stops.push(async () => {
        await worker.stop();
        await engine.close();
        await Promise.all([db.destroy(), heartbeatDb.destroy()]);
      });
    },
    async stopWorkers() {
      await Promise.all(stops.map((stop) => stop()));
      stops = [];
    },
    async dieInWorkers(queue, tenantId, count) {
      const job = { type: queue, queue, tenantId, maxAttempts: 1 };
      await insertJobs(
        database.db,
        Array.from({ length: count }, () => makeJob(job)),
      );
      await notify(database.db, CHANNELS.queueHasWork, queue);
      const letters = database.db.selectFrom('dead_letters').select('id').where('queue', '=', queue);
      await waitUntil(async () => (await letters.execute()).length === count, { until: 'all are dead' });
    },
    async close() {
      await database.drop();
      await redis[Symbol.asyncDispose]();
    },
  };
}
