import { newUuid } from '@accepted/shared/core/job/id';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { MIGRATIONS_DIR, openTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, VERSIONS } from './ledger.ts';
import { migrateUpTo, type TestLedger } from './migrate-up-to.ts';

const FAR_FUTURE = '0fffffff-ffff-7fff-8fff-ffffffffffff';
const LONG_AGO = '00000000-0001-7000-8000-000000000000';

test('a ledger with jobs is split without losing one, or an index, and goes on', async () => {
  await using server = await startPostgresServer();
  await using db = openTestDatabase(server.url);
  await migrateUpTo(db, '0005_partitions');
  const ids = [LONG_AGO, newUuid(), newUuid(), FAR_FUTURE];
  for (const id of ids) await insertAsBefore(db, id);
  const before = await sql`SELECT * FROM jobs ORDER BY id`.execute(db);

  await migrateLedger(server.url, MIGRATIONS_DIR);

  const after = (await sql`SELECT * FROM current_jobs ORDER BY id`.execute(db)).rows;
  expect(after.map((job) => ({ ...Object(job), started_at: null }))).toMatchObject(before.rows);
  for (const id of ids) {
    expect((await sql`SELECT id FROM jobs WHERE id = ${id}`.execute(db)).rows).toEqual([{ id }]);
    expect((await sql`SELECT job_id FROM attempts WHERE job_id = ${id}`.execute(db)).rows).toHaveLength(1);
  }
  expect(await indexCounts(db)).toEqual({ jobs: [6], attempts: [3] });
  const workerId = newUuid();
  await registerWorker(db, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: ['default'],
    concurrency: 10,
    buildId: TEST_BUILD,
  });
  await registerTestBuild(db);
  const { jobs } = await dispatchJobs(db, 'default', testLane(100));
  const claimed = (await claimJobs(db, workerId, jobs)).flatMap((job) => job ?? []);
  const outcomes = claimed.map((job) => ({ job, outcome: succeed }));
  expect(await recordOutcomes(db, outcomes, VERSIONS)).toEqual(ids.map(() => 'succeeded'));
});

async function insertAsBefore(db: TestLedger, id: string): Promise<void> {
  await sql`INSERT INTO jobs (id, tenant_id, type, queue, status, priority, payload, max_attempts, backoff,
      timeout_ms, run_at, tags, metadata)
    VALUES (${id}, ${newUuid()}, 'test.noop', 'default', 'queued', 2, '{"a": 1}', 3,
      '{}', 1000, now(), '[]', '{}')`.execute(db);
  await sql`INSERT INTO attempts (job_id, attempt, replay_round, outcome, started_at)
    VALUES (${id}, 0, 0, 'released', now())`.execute(db);
}

/** How many indexes each partition has: the same for all of them, or the old ones were not taken over. */
async function indexCounts(db: TestLedger): Promise<Record<string, number[]>> {
  const { rows } = await sql<{ parent: string; indexes: number }>`
    SELECT DISTINCT inhparent::regclass::text AS parent,
      (SELECT count(*)::int FROM pg_index WHERE indrelid = inhrelid) AS indexes
    FROM pg_inherits WHERE inhparent IN ('jobs'::regclass, 'attempts'::regclass)`.execute(db);
  const of = (parent: string) => rows.filter((row) => row.parent === parent).map((row) => row.indexes);
  return { jobs: of('jobs'), attempts: of('attempts') };
}
