import { startPostgresReplica } from '@accepted/testing/postgres-replica';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { countJobs, startApi } from './api-under-test.ts';

/** Postgres ends the wait for a replica with the statement's timeout, 5 s here, and keeps the commit. */
const KEPT_WITHIN_MS = 20_000;

test('what the synchronous replica does not have is never answered 202, not even when its key is sent again', async () => {
  await using primary = await startPostgresServer();
  await using api = await startApi({}, primary.url);
  await using replica = await startPostgresReplica(primary);
  const submit = (key: string) =>
    api.send('POST', '/v1/jobs', {
      body: { type: 'test.echo', payload: {} },
      headers: { 'idempotency-key': key },
    });
  const isAccepted = (key: string) => async () => (await submit(key)).statusCode === 202;
  await waitUntil(isAccepted('warm-up'), { until: 'a job is accepted' });
  await replica.makeSynchronous();
  const before = await countJobs(api.db);
  await replica.stop('immediate');

  expect((await submit('alone')).statusCode).toBe(503);
  await waitUntil(async () => (await countJobs(api.db)) === before + 1, {
    until: 'the primary alone has the job',
    timeoutMs: KEPT_WITHIN_MS,
  });
  expect((await submit('alone')).statusCode).toBe(503);

  await replica.start();
  await waitUntil(isAccepted('alone'), { until: 'the replica has the job', timeoutMs: KEPT_WITHIN_MS });
  expect(await countJobs(api.db)).toBe(before + 1);
});
