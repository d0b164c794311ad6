import type { JobError } from '@accepted/shared/core/job/decide-outcome';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import type { Engine } from '@accepted/shared/engine/engine';
import { shelfName } from '@accepted/shared/engine/names';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listUnmirrored } from '@accepted/shared/ledger/dead-letters/mirrored-dead-letters';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import type { JobRow } from '@accepted/shared/ledger/jobs/jobs-tables';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { openTestEngine, type TestEngine } from '@accepted/testing/test-engine';
import { waitUntil } from '@accepted/testing/wait-until';
import type { Job, Queue } from 'bullmq';
import { type Logger, pino } from 'pino';
import { entryOf } from '../../src/services/dead-letters/entry.ts';
import { startDeadLetterMirror } from '../../src/services/dead-letters/mirror.ts';

export const ERROR: JobError = {
  code: 'handler_error',
  message: 'the roof is on fire',
  retryable: true,
  stack: 'TypeError: the roof is on fire\n    at run (render.ts:7:11)',
};

/** A job that died. */
export interface DeadJob {
  id: string;
  deadLetterId: string;
  tenantId: string;
  workerId: string;
}

/** A ledger and an engine of the test's own, and what a test of the mirror does with them. */
export interface MirrorRig {
  url: string;
  db: Database;
  engine: TestEngine;
  redis: RedisServer | undefined;
  /** Makes a queue that no test used before. */
  useFreshQueue(): string;
  startMirror(
    queueHasWork?: (queue: string) => void,
    maxShown?: number,
    logger?: Logger,
  ): { stop(): Promise<void> };
  stopMirrors(): Promise<void>;
  die(overrides?: Partial<NewJob>, error?: JobError): Promise<DeadJob>;
  /** Lets that many jobs of one tenant die at once. */
  dieTogether(count: number, tenantId?: string): Promise<void>;
  /** Lets a queued job die once more. */
  dieAgain(job: DeadJob, error: JobError): Promise<string>;
  readJob(id: string): Promise<JobRow>;
  audits(deadLetterId: string): Promise<{ actor: string; action: string }[]>;
  /** Adds the entry that a mirror would add, and does not mark it. */
  addEntry(): Promise<void>;
  entryOnceFailed(deadLetterId: string, timeoutMs?: number): Promise<Job>;
  untilGone(deadLetterId: string, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openMirrorRig(kind: Engine['kind'], redisSettings: string[] = []): Promise<MirrorRig> {
  const database = await createTestDatabase({ engine: kind });
  const { db } = database;
  await registerTestBuild(db);
  const redis = kind === 'redis' ? await startRedisServer(redisSettings) : undefined;
  const engine = openTestEngine({ databaseUrl: database.url, redisUrl: redis?.url });
  await waitUntil(() => engine.isReady(), { until: 'the engine is there' });
  let queue = 'default';
  let mirrors: { stop(): Promise<void> }[] = [];
  const entries = () => engine.store.queue(shelfName(queue));

  return {
    url: database.url,
    db,
    engine,
    redis,
    readJob: (id) => db.selectFrom('current_jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    useFreshQueue() {
      queue = `q${newUuid()}`;
      return queue;
    },
    startMirror(queueHasWork = () => undefined, maxShown = 10_000, logger = pino({ level: 'silent' })) {
      const mirror = startDeadLetterMirror({ db, engine, queueHasWork, maxShown, logger });
      mirrors.push(mirror);
      return mirror;
    },
    async stopMirrors() {
      await Promise.all(mirrors.map((mirror) => mirror.stop()));
      mirrors = [];
    },
    async die(overrides = {}, error = ERROR) {
      const job = makeJob({ queue, payloadJson: '{"page":42}', ...overrides });
      await insertJobs(db, [job]);
      const workerId = await startTestWorker(db, queue);
      await failQueued(db, queue, workerId, [job.id], error);
      const deadLetterId = await deadLetterOf(db, job.id);
      return { id: job.id, deadLetterId, tenantId: job.tenantId, workerId };
    },
    async dieTogether(count, tenantId = newUuid()) {
      const jobs = Array.from({ length: count }, () => makeJob({ queue, tenantId }));
      await insertJobs(db, jobs);
      await failQueued(db, queue, await startTestWorker(db, queue), idsOf(jobs), ERROR);
    },
    async dieAgain(job, error) {
      await failQueued(db, queue, job.workerId, [job.id], error);
      return await deadLetterOf(db, job.id);
    },
    audits: (deadLetterId) =>
      db
        .selectFrom('audit_log')
        .select(['actor', 'action'])
        .where('target', '=', publicId('deadLetter', deadLetterId))
        .execute(),
    async addEntry() {
      const [letter] = await listUnmirrored(db, queue, { limit: 1, maxPayloadBytes: 1_000 });
      if (!letter) throw new Error('there is no dead letter');
      await engine.shelf(queue).add(entryOf(letter));
    },
    ...watchEntries(entries),
    async close() {
      await engine.close();
      await redis?.[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

/** Waits for what becomes of an entry. */
function watchEntries(entries: () => Queue): Pick<MirrorRig, 'entryOnceFailed' | 'untilGone'> {
  return {
    entryOnceFailed: (deadLetterId, timeoutMs = 10_000) =>
      waitUntil(
        async () => {
          const id = publicId('deadLetter', deadLetterId);
          // Read after its state is known: one that was read before may not have its error yet.
          return (await entries().getJobState(id)) === 'failed' ? await entries().getJob(id) : undefined;
        },
        { until: 'the entry is in the failed set', timeoutMs },
      ),
    async untilGone(deadLetterId, timeoutMs = 10_000) {
      const id = publicId('deadLetter', deadLetterId);
      const isGone = async () => (await entries().getJobState(id)) === 'unknown';
      await waitUntil(isGone, { until: 'the entry has left', timeoutMs });
    },
  };
}

async function startTestWorker(db: Database, queue: string): Promise<string> {
  const id = newUuid();
  await registerWorker(db, {
    id,
    hostname: 'test',
    pid: 1,
    queues: [queue],
    concurrency: 10,
    buildId: TEST_BUILD,
  });
  return id;
}

function idsOf(jobs: { id: string }[]): string[] {
  return jobs.map((job) => job.id);
}

/** Takes queued jobs through dispatch, claim and outcome, as a worker does. */
async function failQueued(
  db: Database,
  queue: string,
  workerId: string,
  ids: string[],
  error: JobError,
): Promise<void> {
  const { jobs } = await dispatchJobs(db, queue, testLane(2_000));
  const ours = jobs.filter((job) => ids.includes(job.id));
  const claimed = (await claimJobs(db, workerId, ours)).filter((job) => job !== undefined);
  if (claimed.length !== ids.length) throw new Error('not all of the jobs were claimed');
  const outcome = { kind: 'deadLetter', reason: 'attempts_exhausted', error } as const;
  const ended = claimed.map((job) => ({ job, outcome }));
  await recordOutcomes(db, ended, { accepted: '1.2.3' });
}

async function deadLetterOf(db: Database, jobId: string): Promise<string> {
  const row = await db
    .selectFrom('current_jobs')
    .select('dead_letter_id')
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow();
  return row.dead_letter_id ?? '';
}
