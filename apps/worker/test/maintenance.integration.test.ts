import { finishJobs } from '@accepted/testing/move-jobs';
import { registerTestBuild } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useWorkers } from './use-workers.ts';

const workers = useWorkers('redis');

test('a worker ends what has expired, deletes what is over and removes the lanes of builds that are gone', async () => {
  const { db } = workers.database;
  const overdue = await workers.submitOne('overdue', { ttlMs: 1 });
  await workers.submitOne('over', {
    idempotency: { route: 'POST /v1/jobs', key: 'over', fingerprint: Buffer.alloc(32) },
  });
  await finishJobs(db, { which: sql`type = 'over'` });
  await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 s'`.execute(db);
  await registerTestBuild(db, ['gone'], { id: 'gone', queue: 'gone' });
  await sql`UPDATE builds SET last_lived_at = now() - interval '2 min'`.execute(db);
  const keys = () => db.selectFrom('idempotency_keys').select('key').execute();
  const gone = () => db.selectFrom('builds').selectAll().where('id', '=', 'gone').executeTakeFirstOrThrow();
  expect(await keys()).toHaveLength(1);

  await workers.start('present', () => 'done');

  await workers.reaches(overdue.id, 'expired');
  await waitUntil(async () => (await keys()).length === 0, { until: 'the key is deleted' });
  await waitUntil(async () => (await gone()).lanes_removed_at !== null, {
    until: 'the lanes are removed',
    // It looks every ten seconds, and the first time maybe before Redis is there.
    timeoutMs: 30_000,
  });
});
