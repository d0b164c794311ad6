import { newUuid } from '@accepted/shared/core/job/id';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import {
  countAllWaiting,
  countInFlight,
  countWaitingOf,
} from '@accepted/shared/ledger/queues/queue-statistics';
import { makeJob } from '@accepted/testing/factories';
import { changeLive } from '@accepted/testing/move-jobs';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const CROWD = 4_000;
const BATCH = 1_000;

let database: TestDatabase;
/** One connection, so that what it has read can be told. */
let db: Database;
const [crowded, quiet] = [newUuid(), newUuid()];

/** One tenant has nearly all that is due, many have a job for later, and one has one of each in every queue. */
beforeAll(async () => {
  database = await createTestDatabase();
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 };
  db = openDatabase(
    { url: database.url, applicationName: 'test', maxConnections: 1, ...timeouts },
    () => undefined,
  );
  await sql`INSERT INTO queues (name) VALUES ('default'), ('rare')`.execute(db);
  const later = { runAt: new Date(Date.now() + 3_600_000) };
  for (const more of [{ tenantId: crowded }, later]) {
    for (let made = 0; made < CROWD / 2; made += BATCH)
      await insertJobs(
        db,
        Array.from({ length: BATCH }, () => makeJob(more)),
      );
    if (more !== later) await sql`VACUUM (ANALYZE) jobs`.execute(db);
  }
  for (const queue of ['default', 'rare'])
    await insertJobs(db, [
      makeJob({ tenantId: quiet, queue }),
      makeJob({ tenantId: quiet, queue, ...later }),
    ]);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

describe.each([
  ['that know of no job for later', async () => undefined],
  ['by which a scan meets a job that waits at once', () => sql`VACUUM (ANALYZE) jobs`.execute(db)],
])('with statistics %s', (_name, collect) => {
  beforeAll(async () => void (await collect()));

  test('a tenant is counted without reading what others have waiting', async () => {
    const before = await countRead();
    expect(await countWaitingOf(db, quiet)).toMatchObject([
      { queue: 'default', ready: 1, scheduled: 1, retrying: 0 },
      { queue: 'rare', ready: 1, scheduled: 1, retrying: 0 },
    ]);
    expect((await countRead()) - before).toBeLessThan(100);
  });

  test('all tenants are counted through the entries that are counted, and one for each tenant', async () => {
    const before = await countRead();
    expect(await countAllWaiting(db)).toMatchObject([
      { queue: 'default', ready: CROWD / 2 + 1, scheduled: CROWD / 2 + 1 },
      { queue: 'rare', ready: 1, scheduled: 1 },
    ]);
    expect((await countRead()) - before).toBeLessThan(CROWD + 100);
  });

  test('what is in flight is counted without reading what waits or is finished', async () => {
    const before = await countRead();
    expect(await countInFlight(db)).toEqual([]);
    expect((await countRead()) - before).toBeLessThan(100);
  });
});

test('the longest wait is that of the job that has been due the longest, whatever its age and priority', async () => {
  const old = makeJob({ tenantId: quiet, queue: 'rare', priority: 3 });
  await insertJobs(db, [old]);
  await changeLive(db, sql`run_at = now() - interval '1 day'`, sql`job_id = ${old.id}`);
  const dayMs = 86_400_000;
  const waits = [
    await countAllWaiting(db),
    await countWaitingOf(db, quiet),
    await countWaitingOf(db, crowded),
  ];
  expect(waits.map(([, rare]) => (rare?.oldestWaitMs ?? 0) >= dayMs)).toEqual([true, true, false]);
});

/** Counts the entries of indexes and the rows of scans that were read in the jobs' tables so far. */
async function countRead(): Promise<number> {
  await sql`SELECT pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ read: number }>`
    SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE 'jobs%')
      + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE 'jobs%'))::float8 AS read`.execute(
    database.db,
  );
  return rows[0]?.read ?? Number.NaN;
}
