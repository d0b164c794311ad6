import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { markLostWorkers, registerWorker, removeWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';

export const VERSIONS = { accepted: 'test' };
export const succeed: Outcome = { kind: 'succeed', resultJson: '{"ok":true}' };

/** A ledger that is empty before each test, with one live worker. */
export interface Ledger {
  readonly db: Database;
  /** The worker that `claimOne` claims for. */
  workerId: string;
  startWorker(): Promise<string>;
  /** Has a worker fall silent, and another one declare it lost. */
  loseWorker(id: string): Promise<void>;
  insertOne(overrides?: Partial<NewJob>): Promise<NewJob>;
  claimOne(overrides?: Partial<NewJob>): Promise<NonNullable<Awaited<ReturnType<typeof claimJobs>>[number]>>;
  readJob(id: string): ReturnType<typeof readJob>;
}

/** Gives the tests of a file a ledger of their own. */
export function useLedger(): Ledger {
  let drop: () => Promise<void>;
  const ledger = {} as Ledger & { db: Database };
  beforeAll(async () => {
    const database = await createTestDatabase();
    drop = database.drop;
    await registerTestBuild(database.db);
    Object.assign(ledger, actions(ledger), { db: database.db });
  });
  afterAll(() => drop());
  beforeEach(async () => {
    await sql`TRUNCATE jobs, ready, blocked, due, in_flight, workers, attempts, payload_revisions, dead_letters, idempotency_keys, audit_log`.execute(
      ledger.db,
    );
    ledger.workerId = await ledger.startWorker();
  });
  return ledger;
}

function actions(ledger: Ledger) {
  return {
    async startWorker() {
      const id = newUuid();
      await registerWorker(ledger.db, {
        id,
        hostname: 'test',
        pid: 1,
        queues: ['default'],
        concurrency: 10,
        buildId: TEST_BUILD,
      });
      return id;
    },
    loseWorker: (id: string) => loseWorker(ledger.db, id),
    async insertOne(overrides: Partial<NewJob> = {}) {
      const job = makeJob(overrides);
      await insertJobs(ledger.db, [job]);
      return job;
    },
    async claimOne(overrides: Partial<NewJob> = {}) {
      await ledger.insertOne(overrides);
      const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(100));
      const [claimed] = await claimJobs(ledger.db, ledger.workerId, jobs);
      if (!claimed) throw new Error('The job could not be claimed.');
      return claimed;
    },
    readJob: (id: string) => readJob(ledger.db, id),
  };
}

/** Has a worker fall silent, and one that was steady all the while declare it lost. */
export async function loseWorker(db: Database, id: string): Promise<void> {
  const rescuerId = newUuid();
  await registerWorker(db, {
    id: rescuerId,
    hostname: 'rescuer',
    pid: 1,
    queues: [],
    concurrency: 1,
    buildId: TEST_BUILD,
  });
  await sql`UPDATE workers SET steady_since = now() - interval '1 h' WHERE id = ${rescuerId}`.execute(db);
  await sql`UPDATE workers SET heartbeat_at = now() - interval '1 h' WHERE id = ${id}`.execute(db);
  expect(await markLostWorkers(db, { rescuerId, leaseMs: 60_000, heartbeatMs: 60_000 })).toEqual([id]);
  await removeWorker(db, rescuerId);
}

function readJob(db: Database, id: string) {
  return db.selectFrom('current_jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}
