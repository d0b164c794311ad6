import { newUuid } from '@accepted/shared/core/job/id';
import { firstUuidOf } from '@accepted/shared/core/job/week';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { listPartitions, MAX_MOVED } from '@accepted/shared/ledger/retention/partitions';
import { makeJob } from '@accepted/testing/factories';
import { finishJobs } from '@accepted/testing/move-jobs';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPruner } from '../../apps/worker/src/services/maintenance/pruner.ts';
import { createServiceLeases, type OneService } from '../../apps/worker/src/services/service-leases.ts';
import {
  dropPartitions,
  makeOldPartition,
  oldId,
  RETENTION_DAYS,
  writeJob,
  writeManyWaiting,
} from './old-partition.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

function start(service?: OneService) {
  const said: { message: string; fields: object }[] = [];
  const say = (fields: object, message: string) => void said.push({ message, fields });
  const logger = { info: say, warn: say } as unknown as Parameters<typeof startPruner>[0]['logger'];
  const onError = (error: unknown) => say({ error }, 'failed');
  return {
    said,
    pruner: startPruner({
      db: database.db,
      service,
      retentionDays: RETENTION_DAYS,
      logger,
      onError,
    }),
  };
}

test('an old partition is dropped, the next weeks are made, and what is over is deleted', async () => {
  const old = await makeOldPartition(database.db);
  const live = oldId(old);
  await writeJob(database.db, live, { status: 'queued' });
  await writeJob(database.db, oldId(old));

  const { said, pruner } = start();
  await waitUntil(() => said.length === 2, { until: 'partitions are made and dropped' });
  await pruner.stop();

  const sizes = { bytes: expect.any(Number), tookMs: expect.any(Number) };
  expect(said[1]?.fields).toEqual({ partition: old.jobs, liveJobs: 1, ...sizes });
  expect((await listPartitions(database.db)).map(({ jobs }) => jobs)).not.toContain(old.jobs);
  expect(await listPartitions(database.db)).toHaveLength(3);
  const left = await database.db.selectFrom('current_jobs').select('id').execute();
  expect(left).toEqual([{ id: live }]);
});

test('that a partition has too many live jobs is said once, not in every run', async () => {
  const old = await makeOldPartition(database.db);
  await writeManyWaiting(database.db, oldId(old), MAX_MOVED + 1);
  const { said, pruner } = start();
  await waitUntil(() => said.length === 2, { until: 'the pruner has run' });

  await writeExpiredKey();
  pruner.wake();
  const isDeleted = async () =>
    (await sql`SELECT FROM idempotency_keys`.execute(database.db)).rows.length === 0;
  await waitUntil(isDeleted, { until: 'the pruner runs again' });
  await pruner.stop();

  expect(said.map(({ message }) => message)).toEqual([
    'made partitions',
    'a partition has too many live jobs to be dropped; it stays',
  ]);
});

test('a step or a partition that fails keeps no other from being done', async () => {
  const old = await makeOldPartition(database.db);
  await writeJob(database.db, oldId(old));
  await makeBrokenPartition();
  await sql`ALTER TABLE bulk_replays RENAME TO bulk_replays_broken`.execute(database.db);

  const { said, pruner } = start();
  await waitUntil(() => said.length === 4, { until: 'the pruner has run' });
  await pruner.stop();

  expect(said.map(({ message, fields }) => ('step' in fields ? fields.step : message))).toEqual([
    'made partitions',
    'delete bulk replays',
    'drop jobs_broken',
    'dropped a partition; its live jobs stay',
  ]);
});

/** One that is older than all others, whose attempts are not where they should be. */
async function makeBrokenPartition(): Promise<void> {
  const until = sql.lit(firstUuidOf(1));
  await sql`CREATE TABLE jobs_broken PARTITION OF jobs FOR VALUES FROM (MINVALUE) TO (${until})`.execute(
    database.db,
  );
}

test('it is left to the worker that has the lease of it', async () => {
  await dropPartitions(database.db);
  const leases = createServiceLeases();
  const { said, pruner } = start(leases.one('pruner'));
  pruner.wake();
  await makeOldPartition(database.db);
  expect(said).toEqual([]);

  leases.beaten(['pruner'], performance.now());
  await waitUntil(() => said.length > 0, { until: 'the worker took it over' });
  await pruner.stop();
});

test('what is done is not looked for again for minutes', async () => {
  await dropPartitions(database.db);
  let runs = 0;
  const isHeld = () => {
    runs += 1;
    return true;
  };
  const { said, pruner } = start({ ...createServiceLeases().one('pruner'), isHeld });
  await waitUntil(() => said.length === 1, { until: 'the pruner has made the weeks' });
  // It would have begun again in the time that all these take.
  for (let statement = 0; statement < 200; statement += 1) await sql`SELECT 1`.execute(database.db);
  await pruner.stop();
  expect(runs).toBe(1);
});

test('a shutdown waits for the statement under way, not for what would follow', async () => {
  const old = await makeOldPartition(database.db);
  const stopping = await database.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE idempotency_keys IN ACCESS EXCLUSIVE MODE`.execute(tx);
    const { pruner } = start();
    await waitUntil(waitsForKeys, { until: 'the pruner comes to the keys' });
    return { ended: pruner.stop() };
  });
  await stopping.ended;

  expect(await listPartitions(database.db)).toContainEqual(old);
});

async function waitsForKeys(): Promise<boolean> {
  const { rows } = await sql`SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE '%idempotency_keys%' AND wait_event_type = 'Lock'`.execute(
    database.db,
  );
  return rows.length > 0;
}

test('it is told when this week has no partition', async () => {
  await dropPartitions(database.db);
  await writeManyWaiting(database.db, newUuid(), MAX_MOVED + 1);

  const { said, pruner } = start();
  await waitUntil(() => said.length === 2, { until: 'the pruner has run' });
  await pruner.stop();

  expect(said[1]?.message).toBe('this week has no partition; its jobs go to the default one');
});

async function writeExpiredKey(): Promise<void> {
  const job = makeJob({ idempotency: { route: 'POST /v1/jobs', key: 'key', fingerprint: Buffer.alloc(32) } });
  await insertJobs(database.db, [job]);
  await finishJobs(database.db, { which: sql`job_id = ${job.id}` });
  await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 s'`.execute(database.db);
}
