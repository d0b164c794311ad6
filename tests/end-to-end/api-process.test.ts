import { EXIT_MISCONFIGURED } from '@accepted/shared/runtime/config/parse-config';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { registerTestBuild } from '@accepted/testing/test-build';
import { createTestDatabase, openTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { startInstallation } from './installation.ts';

async function startApiAlone(env: Record<string, string> = {}) {
  const database = await createTestDatabase({ engine: 'postgres' });
  await registerTestBuild(database.db);
  return { ...(await startInstallation({ databaseUrl: database.url, env })), databaseUrl: database.url };
}

test('SIGTERM: /readyz says no first, a long-poll is answered, and the process ends by itself', async () => {
  await using installation = await startApiAlone({ SHUTDOWN_DELAY_MS: '1000' });
  const submitted = await installation.submit({ type: 'test.noop', payload: {} });
  const { id } = (await submitted.json()) as { id: string };
  const longPoll = installation.request(`/v1/jobs/${id}`, { headers: { prefer: 'wait=25' } });
  await waitUntil(() => installation.api.lines.some((line) => line.includes(`/v1/jobs/${id}`)), {
    until: 'the long-poll has arrived',
  });

  installation.api.kill('SIGTERM');
  const notReady = await waitUntil(
    async () => {
      const reply = await installation.request('/readyz');
      return reply.status === 503 ? reply : undefined;
    },
    { until: '/readyz says no' },
  );
  expect(await notReady.json()).toMatchObject({ code: 'not_ready' });
  expect((await installation.submit({ type: 'test.noop', payload: {} })).status).toBe(202);

  const reply = await longPoll;
  expect([reply.status, ((await reply.json()) as { status: string }).status]).toEqual([200, 'queued']);
  expect(await installation.api.exited).toEqual({ code: 0, signal: null });
});

test('a kill -9 around the commit loses nothing that was acknowledged, and a retry with its key gets the same job', async () => {
  await using first = await startApiAlone();
  const databaseUrl = first.databaseUrl;
  const acknowledged = new Map<string, string>();
  const client = async (name: number) => {
    for (let n = 0; n < 200; n += 1) {
      const key = `${name}-${n}`;
      const body = { type: 'test.noop', payload: { key } };
      const reply = await first.submit(body, { 'idempotency-key': key });
      if (reply.status === 202) acknowledged.set(key, ((await reply.json()) as { id: string }).id);
    }
  };
  const clients = Promise.allSettled(Array.from({ length: 20 }, (_, name) => client(name)));
  await waitUntil(() => acknowledged.size > 300, { until: 'jobs are being acknowledged' });
  first.api.kill('SIGKILL');
  await clients;

  await using second = await startInstallation({ databaseUrl });
  for (const [key, id] of acknowledged) {
    const reply = await second.submit({ type: 'test.noop', payload: { key } }, { 'idempotency-key': key });
    expect([reply.status, ((await reply.json()) as { id: string }).id]).toEqual([202, id]);
  }
  const db = openTestDatabase(databaseUrl);
  const keys = await db.selectFrom('idempotency_keys').select('job_id').execute();
  const jobs = await db.selectFrom('current_jobs').select('id').execute();
  await db.destroy();
  expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set(keys.map(({ job_id }) => job_id)));
});

test('a wrong configuration is told in whole, without its secrets, and nothing is started', async () => {
  await using api = spawnProcess('apps/api/src/main.ts', {
    env: { PORT: 'x', BOOTSTRAP_API_KEY: 'acc_hunter2', SECRETS_KEY: 'hunter2' },
  });
  expect((await api.exited).code).toBe(EXIT_MISCONFIGURED);
  const output = api.lines.join('\n');
  for (const name of ['PORT', 'DATABASE_URL', 'BOOTSTRAP_API_KEY', 'SECRETS_KEY'])
    expect(output).toContain(name);
  expect(output).not.toContain('hunter2');
});
