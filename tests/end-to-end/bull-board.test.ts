import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobView } from '@accepted/shared/contract/job-view';
import { startRedisServer } from '@accepted/testing/redis-server';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from './browser.ts';
import { type Installation, startInstallation } from './installation.ts';

const PASSWORD = 'correct horse battery';
const TEST_TIMEOUT_MS = 180_000;
/** A browser is slow to start on a busy machine. */
const PATIENCE_MS = 60_000;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

describe.each(['redis', 'postgres'] as const)('Bull Board on the %s engine', (kind) => {
  test(
    'an operator logs in, sees why jobs died, retries one, then all, and the same jobs succeed',
    async () => {
      await using redis = await startRedisServer();
      await using database = await createTestDatabase({ engine: kind });
      await using installation = await startInstallation({
        databaseUrl: database.url,
        redisUrl: kind === 'redis' ? redis.url : undefined,
        env: { ADMIN_PASSWORD: PASSWORD },
      });
      await installation.startWorker();
      const file = join(installation.folder, 'the-file');
      const [first, ...others] = await Promise.all(
        Array.from({ length: 4 }, () => submitUntilDead(installation, file)),
      );
      if (!first) throw new Error('no job was submitted');
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const faults = recordFaults(page, installation.url);
      await logIn(page, installation);
      await openDeadLetters(page, 4);

      const card = cardOf(page, first.id);
      await expectText(card, `RangeError: ${file} is not there yet`);
      await expectText(card, 'require-file.ts:');
      await card.getByRole('tab', { name: 'Data' }).click();
      for (const text of [file, '"attempts_exhausted"', first.requestId ?? '']) await expectText(card, text);

      await writeFile(file, '');
      await card.locator('button', { has: page.locator('.lucide-refresh-cw') }).click();
      await page.getByRole('button', { name: 'Confirm' }).click();
      const succeeded = await untilStatus(installation, first.id, 'succeeded');
      expect(succeeded).toMatchObject({ id: first.id, result: { file }, attempt: 2, attemptsMade: 1 });
      for (const { id } of others) expect((await installation.readJob(id)).status).toBe('failed');

      await page.getByRole('button', { name: 'Retry all' }).click();
      await page.getByRole('button', { name: 'Confirm' }).click();
      for (const { id } of others) await untilStatus(installation, id, 'succeeded');
      await page.getByText('default-dead').first().waitFor();
      await card.waitFor({ state: 'detached' });
      expect(await auditedActions(database)).toEqual(Array(4).fill('dead_letter.replay'));
      expect(faults).toEqual([]);
      await page.close();
    },
    TEST_TIMEOUT_MS,
  );
});

test(
  'removing an entry discards its dead letter, and cleaning all discards those that are left',
  async () => {
    await using database = await createTestDatabase({ engine: 'postgres' });
    await using installation = await startInstallation({
      databaseUrl: database.url,
      env: { ADMIN_PASSWORD: PASSWORD },
    });
    await installation.startWorker();
    const never = join(installation.folder, 'never');
    const jobs = await Promise.all([1, 2, 3].map(() => submitUntilDead(installation, never)));
    const [removed, ...cleaned] = jobs.map(({ id }) => id);
    const page = await browser.newPage();
    await logIn(page, installation);
    await openDeadLetters(page, 3);

    const card = cardOf(page, removed ?? '');
    await card.locator('button', { has: page.locator('.lucide-trash-2') }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await card.waitFor({ state: 'detached' });
    expect(await auditedActions(database)).toEqual(['dead_letter.discard']);
    for (const id of cleaned) await cardOf(page, id).waitFor();

    await page.getByRole('button', { name: 'Clean all' }).click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    for (const id of cleaned) await cardOf(page, id).waitFor({ state: 'detached' });
    expect(await auditedActions(database)).toEqual(Array(3).fill('dead_letter.discard'));
    for (const { id } of jobs) expect((await installation.readJob(id)).status).toBe('failed');
    await page.close();
  },
  TEST_TIMEOUT_MS,
);

async function submitUntilDead(installation: Installation, file: string): Promise<JobView> {
  const { id } = await installation.accept({ type: 'test.require-file', payload: { file } });
  return await untilStatus(installation, id, 'failed');
}

function untilStatus(installation: Installation, id: string, status: JobView['status']): Promise<JobView> {
  return waitUntil(
    async () => {
      const job = await installation.readJob(id);
      return job.status === status ? job : undefined;
    },
    { until: `${id} is ${status}`, timeoutMs: PATIENCE_MS },
  );
}

async function logIn(page: Page, installation: Installation): Promise<void> {
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${installation.url}/admin/queues`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
}

async function openDeadLetters(page: Page, count: number): Promise<void> {
  await page.getByRole('link', { name: 'default-dead' }).first().click();
  await page.getByRole('link', { name: `Failed ${count}` }).click();
}

function cardOf(page: Page, jobId: string): Locator {
  return page.locator('[class*="card-"]').filter({ hasText: jobId });
}

async function expectText(within: Locator, text: string): Promise<void> {
  await within.getByText(text).first().waitFor();
}

/** Collects what the page asked others for, and what its policy or its scripts complained about. */
function recordFaults(page: Page, url: string): string[] {
  const faults: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return faults;
}

async function auditedActions({ db }: TestDatabase) {
  const rows = await db.selectFrom('audit_log').select('action').where('actor', '=', 'bull-board').execute();
  return rows.map((row) => row.action);
}
