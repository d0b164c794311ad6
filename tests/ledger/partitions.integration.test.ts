import { newUuid } from '@accepted/shared/core/job/id';
import { WEEK_MS, weekStart } from '@accepted/shared/core/job/week';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import type { Ledger } from '@accepted/shared/ledger/connection/tables';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import {
  changePartitions,
  listPartitions,
  lockJobs,
  MAX_MOVED,
  makeWeeks,
} from '@accepted/shared/ledger/retention/partitions';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql, type Transaction } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { succeed, VERSIONS } from './ledger.ts';
import { dropPartitions, makePartition, writeJob, writeManyWaiting } from './old-partition.ts';

const FAR_FUTURE = '0fffffff-ffff-7fff-8fff-ffffffffffff';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db);
});
afterEach(() => database.drop());

const nameOf = (ms: number) => `jobs_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '_')}`;
const threeWeeks = () => [0, 1, 2].map((week) => nameOf(weekStart(Date.now()) + week * WEEK_MS));

async function partitionOf(id: string): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`
    SELECT tableoid::regclass::text AS name FROM jobs WHERE id = ${id}
    UNION SELECT replace(tableoid::regclass::text, 'attempts', 'jobs') FROM attempts WHERE job_id = ${id}
    UNION SELECT replace(tableoid::regclass::text, 'job_tags', 'jobs') FROM job_tags WHERE job_id = ${id}`.execute(
    database.db,
  );
  return rows.map(({ name }) => name).join();
}

describe('partitions made ahead', () => {
  test('are there after the migration, for its week and the two that follow', async () => {
    const [past, ...ahead] = await listPartitions(database.db);
    const names = ahead.map(({ jobs }) => jobs);
    expect(past).toMatchObject({ fromMs: 0 });
    expect(names).toEqual([0, 1].map((week) => nameOf((past?.untilMs ?? 0) + week * WEEK_MS)));

    // The database is a copy of one that was migrated when the tests began, perhaps on a Sunday.
    const isOfThisWeek = (past?.untilMs ?? 0) > Date.now();
    expect(await makeWeeks(database.db)).toEqual(threeWeeks().slice(isOfThisWeek ? 3 : 2));
  });

  test('take jobs over that came before them, with their attempts, and leave others', async () => {
    await dropPartitions(database.db);
    const now = newUuid();
    for (const id of [now, FAR_FUTURE]) {
      await writeJob(database.db, id);
      expect(await partitionOf(id)).toBe('jobs_default');
    }

    expect(await makeWeeks(database.db)).toEqual(threeWeeks());

    expect(await partitionOf(now)).toBe(threeWeeks()[0]);
    expect(await partitionOf(FAR_FUTURE)).toBe('jobs_default');
  });

  test('do not take over more than can be moved at once', async () => {
    await dropPartitions(database.db);
    const id = newUuid();
    await writeManyWaiting(database.db, id, MAX_MOVED + 1);

    expect(await makeWeeks(database.db)).toEqual(threeWeeks().slice(1));
    expect(await partitionOf(id)).toBe('jobs_default');
    expect(await makeWeeks(database.db)).toEqual([]);
  });

  test('are made beside one that a clock made which was a year ahead', async () => {
    await dropPartitions(database.db);
    const from = weekStart(Date.now()) + 52 * WEEK_MS;
    await makePartition(database.db, 'ahead', { fromMs: from, untilMs: from + WEEK_MS });

    expect(await makeWeeks(database.db)).toEqual(threeWeeks());
  });

  test('are made once when several make them', async () => {
    await dropPartitions(database.db);

    const made = await Promise.all([1, 2, 3].map(() => makeWeeks(database.db)));

    expect(made.flat()).toEqual(threeWeeks());
  });

  test('leave no accept out while they are made', async () => {
    await dropPartitions(database.db);
    const made = makeWeeks(database.db);
    let isMade = false;
    void made.finally(() => {
      isMade = true;
    });
    const ids: string[] = [];
    while (!isMade) {
      const job = makeJob();
      await insertJobs(database.db, [job]);
      ids.push(job.id);
    }

    expect((await made).length).toBe(3);
    for (const id of ids) expect(await partitionOf(id)).toBe(threeWeeks()[0]);
  });
});

test('whoever takes long while everybody is kept out fails, and changes nothing', async () => {
  const takesLong = changePartitions(database.db, async (tx) => {
    await lockJobs(tx);
    await sql`ALTER TABLE jobs DETACH PARTITION jobs_default`.execute(tx);
    await sql`SELECT pg_sleep(10)`.execute(tx);
  });

  await expect(takesLong).rejects.toThrow('statement timeout');
  await insertJobs(database.db, [makeJob({ id: FAR_FUTURE })]);
});

test('a job whose id no week has is accepted, runs and is found', async () => {
  const workerId = newUuid();
  await registerWorker(database.db, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: [],
    concurrency: 1,
    buildId: TEST_BUILD,
  });
  const job = makeJob({ id: FAR_FUTURE });
  await insertJobs(database.db, [job]);

  const { jobs } = await dispatchJobs(database.db, 'default', testLane(10));
  const [claimed] = await claimJobs(database.db, workerId, jobs);
  if (!claimed) throw new Error('The job could not be claimed.');
  await recordOutcomes(database.db, [{ job: claimed, outcome: succeed }], VERSIONS);

  expect((await findJob(database.db, job.tenantId, job.id))?.status).toBe('succeeded');
});

describe('what asks by id reads one partition, by its index', () => {
  let worker: Database;
  beforeEach(() => {
    const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 };
    const options = { url: database.url, applicationName: 'test', maxConnections: 1, indexPlansOnly: true };
    worker = openDatabase({ ...options, ...timeouts }, () => undefined);
  });
  afterEach(() => worker.destroy());

  test('so does a lookup, a claim and an outcome', async () => {
    const workerId = newUuid();
    await registerWorker(worker, {
      id: workerId,
      hostname: 'test',
      pid: 1,
      queues: [],
      concurrency: 1,
      buildId: TEST_BUILD,
    });
    const job = makeJob();
    await insertJobs(worker, [job]);
    const home = await partitionOf(job.id);
    const { jobs } = await dispatchJobs(worker, 'default', testLane(10));
    const oneByIndex = [{ partition: home, bySeq: 0, byIndex: expect.any(Number) }];

    const lookUp = (tx: Transaction<Ledger>) =>
      tx.selectFrom('current_jobs').selectAll().where('id', '=', job.id).execute();
    expect(await scansOf(lookUp)).toEqual(oneByIndex);
    const claim = (db: Database) => claimJobs(db, workerId, jobs);
    expect(await scansOf(claim)).toEqual(oneByIndex);
    const [claimed] = await claim(worker);
    if (!claimed) throw new Error('The job could not be claimed.');
    const record = (tx: Transaction<Ledger>) =>
      recordOutcomes(tx, [{ job: claimed, outcome: succeed }], VERSIONS);
    expect(await scansOf(record)).toEqual([]);
  });

  /** Tells of each partition how often `act` scans it, and undoes what it did. */
  async function scansOf(act: (tx: Transaction<Ledger>) => Promise<unknown>): Promise<Scans[]> {
    const tx = await worker.startTransaction().execute();
    try {
      const before = await countScans(tx);
      await act(tx);
      const after = await countScans(tx);
      return after
        .map(({ partition, bySeq, byIndex }, at) => ({
          partition,
          bySeq: bySeq - (before[at]?.bySeq ?? 0),
          byIndex: byIndex - (before[at]?.byIndex ?? 0),
        }))
        .filter(({ bySeq, byIndex }) => bySeq + byIndex > 0);
    } finally {
      await tx.rollback().execute();
    }
  }
});

interface Scans {
  partition: string;
  bySeq: number;
  byIndex: number;
}

/** What this connection has scanned since it last told the server's statistics. */
async function countScans(tx: Transaction<Ledger>): Promise<Scans[]> {
  const { rows } = await sql<Scans>`
    SELECT relname AS partition, seq_scan::int AS "bySeq", idx_scan::int AS "byIndex"
    FROM pg_stat_xact_user_tables WHERE relname LIKE 'jobs\\_%' ORDER BY relname`.execute(tx);
  return rows;
}
