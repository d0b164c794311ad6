import { startRedisServer } from '@accepted/testing/redis-server';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { launchBrowser } from './browser.ts';
import { startInstallation } from './installation.ts';

const PASSWORD = 'correct horse battery';
/** How long Redis is away: without a bound, a worker wrote more than a hundred lines in it. */
const AWAY_MS = 5_000;
/** The first line of what is in trouble: connections, and the few services that were just at it. */
const MAX_LINES = 6;

test('a Redis that is away costs the logs a few lines, shows in the metrics, and the board says what that means', async () => {
  await using redis = await startRedisServer();
  await using database = await createTestDatabase();
  await using installation = await startInstallation({
    databaseUrl: database.url,
    redisUrl: redis.url,
    env: { ADMIN_PASSWORD: PASSWORD },
  });
  const worker = await installation.startWorker();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`${installation.url}/admin/login`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('default-dead').first().waitFor();
  await engineIs('1');
  const before = { worker: worker.lines.length, api: warningsOf(installation.api).length };

  await redis.kill();
  const awayUntil = performance.now() + AWAY_MS;
  await engineIs('0');
  await page.goto(`${installation.url}/admin/queues`);
  await page.getByRole('heading', { name: 'The queue engine does not answer' }).waitFor();
  expect(await page.content()).not.toMatch(/ECONN|Connection is closed|enableOfflineQueue/);
  const refused = await page.request.get(`${installation.url}/admin/queues/api/queues`);
  expect(refused.status()).toBe(503);
  expect((await refused.json()).error).toContain('none is lost');
  await waitUntil(() => performance.now() > awayUntil, {
    until: 'Redis was away for long',
    timeoutMs: 2 * AWAY_MS,
  });
  expect(worker.lines.slice(before.worker).length).toBeLessThanOrEqual(MAX_LINES);
  expect(warningsOf(installation.api).length - before.api).toBeLessThanOrEqual(MAX_LINES);

  await redis.start();
  await worker.waitForLine(/back after \d+ s: the queue engine is in trouble/, 20_000);
  await engineIs('1');
  await page.getByText('default-dead').first().waitFor();

  async function engineIs(value: string): Promise<void> {
    const line = `accepted_engine_up ${value}`;
    const isShown = async () =>
      (await (await installation.request('/metrics')).text()).includes(`\n${line}\n`);
    await waitUntil(isShown, { until: `the metrics show ${line}` });
  }
}, 120_000);

/** The lines of a process that are not of single requests. */
function warningsOf(process: SpawnedProcess): string[] {
  return process.lines.filter((line) => !line.includes('"requestId"'));
}
