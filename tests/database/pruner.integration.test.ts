import { insertJobs } from '@accepted/shared/database/insert-jobs';
import { listPartitions, MAX_MOVED } from '@accepted/shared/database/partitions';
import { makeJob } from '@accepted/testing/factories';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPruner } from '../../apps/worker/src/maintenance/pruner.ts';
import { makeOldPartition, oldId, RETENTION_DAYS, writeJob, writeManyWaiting } from './old-partition.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

function start() {
  const said: { message: string; fields: object }[] = [];
  const say = (fields: object, message: string) => void said.push({ message, fields });
  const logger = { info: say, warn: say } as unknown as Parameters<typeof startPruner>[0]['logger'];
  const onError = (error: unknown) => say({ error }, 'failed');
  return { said, pruner: startPruner({ db: database.db, retentionDays: RETENTION_DAYS, logger, onError }) };
}

test('an old partition is dropped, the next weeks are made, and what is over is deleted', async () => {
  const old = await makeOldPartition(database.db);
  const live = oldId(old);
  await writeJob(database.db, live, { status: 'queued', finished_at: null });
  await writeJob(database.db, oldId(old));

  const { said, pruner } = start();
  await waitUntil(() => said.length === 2, { until: 'partitions are made and dropped' });
  await pruner.stop();

  const sizes = { bytes: expect.any(Number), tookMs: expect.any(Number) };
  expect(said[1]?.fields).toEqual({ partition: old.jobs, liveJobs: 1, ...sizes });
  expect((await listPartitions(database.db)).map(({ jobs }) => jobs)).not.toContain(old.jobs);
  expect(await listPartitions(database.db)).toHaveLength(3);
  const left = await database.db.selectFrom('jobs').select('id').execute();
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

async function writeExpiredKey(): Promise<void> {
  const job = makeJob({ idempotency: { route: 'POST /v1/jobs', key: 'key', fingerprint: Buffer.alloc(32) } });
  await insertJobs(database.db, [job]);
  await sql`UPDATE jobs SET status = 'succeeded' WHERE id = ${job.id}`.execute(database.db);
  await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 s'`.execute(database.db);
}
