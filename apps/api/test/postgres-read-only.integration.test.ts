import { setReadOnly } from '@accepted/testing/ask-server';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { countJobs, startApi } from './api-under-test.ts';

/** The API asks by itself every second; a balancer asks as often. */
const FOUND_WITHIN_MS = 2_000;
const RESUMES_WITHIN_MS = 5_000;

test('while Postgres takes no writes the API is not ready and promises nothing, and resumes by itself', async () => {
  await using server = await startPostgresServer();
  await using api = await startApi({}, server.url);
  const submit = () => api.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {} } });
  const readyz = async () => (await api.send('GET', '/readyz')).statusCode;
  await waitUntil(async () => (await submit()).statusCode === 202, { until: 'a job is accepted' });
  await waitUntil(async () => (await readyz()) === 200, { until: 'it is ready' });
  const before = await countJobs(api.db);

  for (let round = 1; round <= 2; round += 1) {
    await setReadOnly(server, true);
    await waitUntil(async () => (await readyz()) === 503, {
      until: 'it says that it is not ready',
      timeoutMs: FOUND_WITHIN_MS,
    });
    for (let tries = 1; tries <= 5; tries += 1) {
      const refusal = await submit();
      expect(refusal.statusCode).toBe(503);
      expect(refusal.json()).toMatchObject({ code: 'database_unavailable' });
      expect(refusal.headers['retry-after']).toBeDefined();
      expect(await readyz()).toBe(503);
    }
    await setReadOnly(server, false);
    await waitUntil(async () => (await submit()).statusCode === 202, {
      until: 'a job is accepted again',
      timeoutMs: RESUMES_WITHIN_MS,
    });
    expect(await readyz()).toBe(200);
    expect(await countJobs(api.db)).toBe(before + round);
  }
});
