import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobView } from '@accepted/shared/contract/job-view';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { createTestRedis, type TestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

describe.each(['redis', 'postgres'] as const)('on the %s engine', (kind) => {
  let database: TestDatabase;
  let redis: TestRedis;
  let installation: Installation;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase({ engine: kind }), createTestRedis()]);
    const redisUrl = kind === 'redis' ? redis.url : undefined;
    installation = await startInstallation({ databaseUrl: database.url, redisUrl });
    await installation.startWorker();
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await Promise.all([database.drop(), redis[Symbol.asyncDispose]()]);
  });

  async function submit(type: string, file: string, more: object = {}): Promise<string> {
    const response = await installation.submit({ type, payload: { file }, ...more });
    expect(response.status).toBe(202);
    return ((await response.json()) as JobView).id;
  }

  const cancel = (id: string) => installation.request(`/v1/jobs/${id}/cancel`, { method: 'POST' });
  const statusOf = async (id: string) => (await installation.readJob(id)).status;
  const fileNamed = (name: string) => join(installation.folder, `${name}-${kind}`);
  const hasText = (file: string, text: string) =>
    existsSync(file) && readFileSync(file, 'utf8').includes(text);

  test('a running job in another process is told within a second', async () => {
    const file = fileNamed('abort');
    const id = await submit('test.wait-for-abort', file);
    await waitUntil(() => hasText(file, 'running'), { until: 'the job runs' });
    const askedAt = Date.now();
    expect((await cancel(id)).status).toBe(202);
    await waitUntil(async () => (await statusOf(id)) === 'canceled', { until: 'the job is canceled' });
    const [, abortedAt] = /aborted (\d+)/.exec(readFileSync(file, 'utf8')) ?? [];
    expect(Number(abortedAt) - askedAt).toBeLessThan(1_000);
  });

  test('an isolated handler that does not listen is killed after its grace', async () => {
    const file = fileNamed('spin');
    const id = await submit('test.spin', file);
    const pid = await waitUntil(
      () => (hasText(file, 'running') ? Number(readFileSync(file, 'utf8').split(' ')[1]) : undefined),
      {
        until: 'the job runs',
      },
    );
    expect((await cancel(id)).status).toBe(202);
    await waitUntil(async () => (await statusOf(id)) === 'canceled', { until: 'the job is canceled' });
    await waitUntil(() => !isRunning(pid), { until: 'its process is gone' });
  });

  test('scheduled and retrying jobs are canceled at once, and a finished one no more', async () => {
    const scheduled = await submit('test.wait-for-abort', fileNamed('never'), { delayMs: 60_000 });
    expect((await cancel(scheduled)).status).toBe(200);
    expect(await statusOf(scheduled)).toBe('canceled');
    expect((await cancel(scheduled)).status).toBe(409);
    const backoff = { type: 'fixed', delayMs: 60_000, jitter: 'none' };
    const retrying = await submit('test.wait-for-abort', fileNamed('retry'), {
      timeoutMs: 50,
      retry: { backoff },
    });
    await waitUntil(async () => (await statusOf(retrying)) === 'retrying', { until: 'the job is retrying' });
    expect((await cancel(retrying)).status).toBe(200);
    expect(await statusOf(retrying)).toBe('canceled');
  });

  test('a job that was not started in time expires', async () => {
    const key = { concurrencyKey: 'one-at-a-time' };
    const running = await submit('test.wait-for-abort', fileNamed('first'), key);
    await waitUntil(async () => (await statusOf(running)) === 'running', { until: 'the first one runs' });
    const id = await submit('test.wait-for-abort', fileNamed('never'), { ...key, ttlMs: 200 });
    await waitUntil(async () => (await statusOf(id)) === 'expired', { until: 'the job is expired' });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
