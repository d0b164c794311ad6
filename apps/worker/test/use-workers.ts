import { defineJob, type JobContext, type JobDefinition } from '@accepted/job';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import type { JobStatus } from '@accepted/shared/core/job/status';
import type { Consumer, Engine } from '@accepted/shared/engine/engine';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { makeJob } from '@accepted/testing/factories';
import { createTestDatabase, openTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { openTestEngine } from '@accepted/testing/test-engine';
import { createTestRedis, type TestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { z } from 'zod';
import type { LoadedHandler } from '../src/handlers/loaded-handler.ts';
import { startWorker, type WorkerResources } from '../src/services.ts';

export const CONFIG = {
  WORKER_CONCURRENCY: 10,
  WEBHOOK_CONCURRENCY: 10,
  LEASE_MS: 2_000,
  HEARTBEAT_MS: 200,
  MAX_LOSSES: 5,
  MAX_TENANT_SHARE: 80,
  WATCHDOG_MS: 1_000,
  RETENTION_DAYS: 30,
  SHUTDOWN_TIMEOUT_MS: 4_000,
};

const logger = pino({ level: 'silent' });

export type Run = (payload: unknown, ctx: JobContext) => unknown;

function configFor(databaseUrl: string, own: Partial<typeof CONFIG>): WorkerResources['config'] {
  return { ...CONFIG, ...own, LOG_LEVEL: 'silent', ALLOW_PRIVATE_NETWORKS: [], DATABASE_URL: databaseUrl };
}

function loaded(definition: JobDefinition): LoadedHandler {
  return { type: definition.type, queue: definition.queue, definition };
}

/** Opens an engine whose consumers can stop to take deliveries as a fault would have it: nobody else sees that. */
function openDeafenable({ url: databaseUrl }: TestDatabase, redisUrl: string | undefined) {
  const engine = openTestEngine({ databaseUrl, redisUrl });
  const opened: Consumer[] = [];
  const consume: Engine['consume'] = (...args) => {
    const consumer = engine.consume(...args);
    opened.push(consumer);
    return consumer;
  };
  const goDeaf = () => Promise.all(opened.map((consumer) => consumer.pause()));
  return { engine: { ...engine, consume }, goDeaf };
}

/** Gives the tests of a block whole workers on one engine, a ledger of their own and ways to look into it. */
export function useWorkers(kind: Engine['kind'], ownConfig: Partial<typeof CONFIG> = {}) {
  let database: TestDatabase;
  let redis: TestRedis;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase({ engine: kind }), createTestRedis()]);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  afterAll(async () => {
    await Promise.all([database.drop(), redis[Symbol.asyncDispose]()]);
  });

  /** Starts a worker with one handler, in a queue and with a type that no other test uses. */
  const start = (name: string, run: Run) =>
    startBuild(defineJob({ type: name, queue: name, payload: z.unknown(), run }));

  /** Starts a worker with these handlers. */
  async function startBuild(...definitions: JobDefinition[]) {
    const db = openTestDatabase(database.url);
    const heartbeatDb = openTestDatabase(database.url, 1);
    const { engine, goDeaf } = openDeafenable(database, kind === 'redis' ? redis.url : undefined);
    const deaf = Promise.withResolvers<void>();
    const worker = await startWorker({
      config: configFor(database.url, ownConfig),
      db,
      heartbeatDb,
      engine,
      handlers: definitions.map(loaded),
      versions: { accepted: 'test' },
      breakersOpenSeconds: { first: 0.5, most: 2 },
      onDeaf: deaf.resolve,
      logger,
    });
    const stop = async () => {
      stops.splice(stops.indexOf(stop), 1);
      await worker.stop();
      await engine.close();
      await Promise.all([db.destroy(), heartbeatDb.destroy()]);
    };
    stops.push(stop);
    return { stop, engine, db, heartbeatDb, goDeaf, deaf: deaf.promise };
  }

  async function submit(name: string, overrides: Partial<NewJob> = {}, count = 1): Promise<NewJob[]> {
    const jobs = Array.from({ length: count }, () => makeJob({ type: name, queue: name, ...overrides }));
    await insertJobs(database.db, jobs);
    await notify(database.db, CHANNELS.queueHasWork, name);
    return jobs;
  }

  const readJob = (id: string) =>
    database.db.selectFrom('current_jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  const attemptsOf = (id: string) =>
    database.db.selectFrom('attempts').selectAll().where('job_id', '=', id).orderBy('attempt').execute();

  async function submitOne(name: string, overrides: Partial<NewJob> = {}): Promise<NewJob> {
    const [job] = await submit(name, overrides);
    if (!job) throw new Error('Nothing was submitted.');
    return job;
  }

  async function reaches(id: string, status: JobStatus) {
    await waitUntil(async () => (await readJob(id)).status === status, { until: `the job is ${status}` });
    return await readJob(id);
  }

  return {
    get database() {
      return database;
    },
    start,
    startBuild,
    submit,
    submitOne,
    readJob,
    attemptsOf,
    reaches,
  };
}
