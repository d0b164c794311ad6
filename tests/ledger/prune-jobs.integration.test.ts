import { JOB_STATUSES, TERMINAL_STATUSES } from '@accepted/shared/core/job/status';
import { listPartitions, MAX_MOVED, type Partition } from '@accepted/shared/ledger/retention/partitions';
import {
  listOldPartitions,
  pruneDefaultPartition,
  prunePartition,
} from '@accepted/shared/ledger/retention/prune-jobs';
import { finishJobs } from '@accepted/testing/move-jobs';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  makeOldPartition,
  type OldJob,
  oldId,
  RETENTION_DAYS,
  writeDeadLetter,
  writeJob,
  writeManyWaiting,
} from './old-partition.ts';

let database: TestDatabase;
let old: Partition;
beforeEach(async () => {
  database = await createTestDatabase();
  old = await makeOldPartition(database.db);
});
afterEach(() => database.drop());

const prune = (partition = old) => prunePartition(database.db, partition, RETENTION_DAYS);

async function readAll() {
  const { rows: jobs } = await sql<{ id: string }>`SELECT * FROM current_jobs ORDER BY id`.execute(
    database.db,
  );
  const { rows: attempts } = await sql`SELECT * FROM attempts ORDER BY job_id`.execute(database.db);
  const { rows: tags } = await sql`SELECT * FROM job_tags ORDER BY job_id, tag`.execute(database.db);
  return { jobs, attempts, tags };
}

/** Names who is live for some reason, each with what its job has. */
const unfinished = JOB_STATUSES.filter(
  (status) => !(TERMINAL_STATUSES as readonly string[]).includes(status),
);
const LIVE: [string, OldJob][] = [
  ...unfinished.map((status): [string, OldJob] => [status, { status }]),
  ['dispatched', { status: 'dispatched' }],
  ...TERMINAL_STATUSES.map((status): [string, OldJob] => [
    `${status} within the retention`,
    { status, finishedAt: sql`now() - interval '29 days 23 hours'` },
  ]),
];

test.each(LIVE)('a job that is %s stays, with its attempts, as it is', async (_name, columns) => {
  await writeJob(database.db, oldId(old), columns);
  const before = await readAll();
  await writeJob(database.db, oldId(old));

  expect(await prune()).toMatchObject({ kind: 'dropped', live: 1 });

  expect(await readAll()).toEqual(before);
});

test('a failed job stays for as long as its dead letter is open', async () => {
  const [open, discarded] = [oldId(old), oldId(old)];
  for (const id of [open, discarded]) await writeJob(database.db, id, { status: 'failed' });
  const letter = await writeDeadLetter(database.db, open);
  await writeDeadLetter(database.db, discarded, { resolution: 'discarded' });

  await prune();
  expect((await readAll()).jobs.map(({ id }) => id)).toEqual([open]);
  expect(await pruneDefaultPartition(database.db, RETENTION_DAYS, 10)).toBe(0);

  await sql`UPDATE dead_letters SET resolution = 'discarded' WHERE id = ${letter}`.execute(database.db);
  expect(await pruneDefaultPartition(database.db, RETENTION_DAYS, 10)).toBe(1);
  expect(await readAll()).toEqual({ jobs: [], attempts: [], tags: [] });
});

test('only partitions whose youngest job may be older than the retention are let go', async () => {
  const ageDays = (Date.now() - old.untilMs) / 86_400_000;

  expect(await listOldPartitions(database.db, Math.floor(ageDays))).toEqual([old]);
  expect(await listOldPartitions(database.db, Math.ceil(ageDays))).toEqual([]);
});

test('of two who let go of a partition at once one does, and a third finds it done', async () => {
  await writeJob(database.db, oldId(old));

  const results = await Promise.all([prune(), prune()]);

  expect(results.filter((result) => result?.kind === 'dropped')).toHaveLength(1);
  expect(await prune()).toBeUndefined();
  expect(await listPartitions(database.db)).toEqual([]);
});

test('whoever reads meanwhile sees live jobs all the time', async () => {
  const id = oldId(old);
  await writeJob(database.db, id, { status: 'running' });
  const pruned = prune();
  let isPruned = false;
  void pruned.finally(() => {
    isPruned = true;
  });

  const seen = new Set<number>();
  while (!isPruned) {
    const { rows } = await sql`SELECT FROM jobs WHERE id = ${id}`.execute(database.db);
    seen.add(rows.length);
  }

  expect(await pruned).toMatchObject({ live: 1 });
  expect([...seen]).toEqual([1]);
});

test('a job that finishes while the pruner waits for the lock stays', async () => {
  const id = oldId(old);
  await writeJob(database.db, id, { status: 'running' });

  const pruned = await database.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE ONLY jobs IN ROW EXCLUSIVE MODE`.execute(tx);
    const ended = prune();
    await waitUntil(waitsForLock, { until: 'the pruner waits for the lock' });
    await finishJobs(tx, { which: sql`job_id = ${id}` });
    return { ended };
  });

  expect(await pruned.ended).toMatchObject({ kind: 'dropped', live: 1 });
  expect((await readAll()).jobs).toMatchObject([{ id, status: 'succeeded' }]);
});

async function waitsForLock(): Promise<boolean> {
  const { rows } = await sql`SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'LOCK TABLE%' AND wait_event_type = 'Lock'`.execute(
    database.db,
  );
  return rows.length > 0;
}

test.each(['killed', 'left to wait'])('a pruner that is %s half-way leaves everything', async (fate) => {
  await writeJob(database.db, oldId(old), { status: 'running' });
  await writeJob(database.db, oldId(old));
  const before = await readAll();

  const pruned = await database.db.transaction().execute(async (tx) => {
    // The jobs' partition is detached by then.
    await sql`LOCK TABLE ${sql.table(old.attempts)} IN ACCESS SHARE MODE`.execute(tx);
    const ended = prune().catch((error: Error) => error.message);
    if (fate === 'killed') await killWhoDetaches();
    return await ended;
  });

  expect(pruned).toMatch(fate === 'killed' ? /terminat/ : /lock timeout/);
  expect(await readAll()).toEqual(before);
  expect(await prune()).toMatchObject({ kind: 'dropped', live: 1 });
});

async function killWhoDetaches(): Promise<void> {
  const kill = () =>
    sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE 'ALTER TABLE attempts DETACH%' AND wait_event_type = 'Lock'`.execute(
      database.db,
    );
  await waitUntil(async () => (await kill()).rows.length > 0, { until: 'the pruner waits for the lock' });
}

test('a partition with more live jobs than may be moved at once is left as it is', async () => {
  await writeManyWaiting(database.db, oldId(old), MAX_MOVED + 1);

  expect(await prune()).toEqual({ kind: 'left', partition: old.jobs, moreLiveThan: MAX_MOVED });
  expect((await readAll()).jobs).toHaveLength(MAX_MOVED + 1);
});

test('of many jobs that finished late after several attempts each, every one stays', async () => {
  const first = oldId(old);
  await writeManyWaiting(database.db, first, MAX_MOVED - 1_000);
  await finishJobs(database.db);
  await sql`
    INSERT INTO attempts (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
      losses, suspect, status, outcome)
    SELECT tenant_id, job_id, run_at, 1, 1, 1, 0, 1, 0, 0, false, 'retrying', 'failed' FROM attempts`.execute(
    database.db,
  );
  expect(await prune()).toMatchObject({ kind: 'dropped', live: MAX_MOVED - 1_000 });
  const { rows } = await sql<{ jobs: number; attempts: number }>`
    SELECT (SELECT count(*)::int FROM jobs) AS jobs, (SELECT count(*)::int FROM attempts) AS attempts`.execute(
    database.db,
  );
  expect(rows).toEqual([{ jobs: MAX_MOVED - 1_000, attempts: 2 * (MAX_MOVED - 1_000) }]);
});
