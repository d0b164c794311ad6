import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { endInOrder, isAlive, makePlace, paste, printedCommands, processesOf } from './quickstart.ts';

const READY = /^Read its result/;
const TWO_STARTS_MS = 120_000;
const THREE_STARTS_MS = 180_000;

test('the printed commands work as pasted, Ctrl-C ends everything, and the next start has the data', {
  timeout: TWO_STARTS_MS,
}, async () => {
  await using place = await makePlace();
  const first = place.start();
  await first.waitForLine(READY, 60_000);
  const { submit, read } = printedCommands(first.lines);

  const { id } = JSON.parse(await paste(submit));
  expect(id).toMatch(/^job_[0-9a-z]{26}$/);
  expect(JSON.parse(await paste(read))).toMatchObject({ id, status: 'succeeded', result: expect.anything() });

  const started = performance.now();
  expect(await endInOrder(first)).toMatchObject({ code: 0 });
  expect(performance.now() - started).toBeLessThan(10_000);
  // The last thing that PostgreSQL does when it ends in order.
  await expect(postgresPid(place.env.STATE_DIR)).rejects.toThrow('ENOENT');

  const second = place.start();
  await second.waitForLine(READY, 60_000);
  const again = await paste(printedCommands(second.lines).read);
  expect(JSON.parse(again)).toMatchObject({ id, status: 'succeeded' });
});

test('after kill -9 nothing but PostgreSQL stays, and the next start takes that over', {
  timeout: TWO_STARTS_MS,
}, async () => {
  await using place = await makePlace();
  const first = place.start();
  await first.waitForLine(READY, 60_000);
  const main = await processesOf('apps/quickstart/src/main.ts', [first.pid]);
  const programs = await processesOf('/src/main.ts', main);
  expect(main).toHaveLength(1);
  expect(programs).toHaveLength(2);

  for (const pid of [first.pid, ...main]) process.kill(pid, 'SIGKILL');

  await waitUntil(() => !programs.some(isAlive), { until: 'the api and the worker have ended' });
  const postgres = await postgresPid(place.env.STATE_DIR);
  await place.start().waitForLine(READY, 60_000);
  expect(await postgresPid(place.env.STATE_DIR)).toBe(postgres);
});

test('a program that dies is started again, and that is said', { timeout: TWO_STARTS_MS }, async () => {
  await using place = await makePlace();
  const quickstart = place.start();
  await quickstart.waitForLine(READY, 60_000);
  const main = await processesOf('apps/quickstart/src/main.ts', [quickstart.pid]);
  const [api = 0] = await processesOf('apps/api/src/main.ts', main);

  process.kill(api, 'SIGKILL');

  await quickstart.waitForLine(/^api: ended unexpectedly \(SIGKILL\)/);
  const isReady = async () => (await fetch(`http://127.0.0.1:${place.env.PORT}/readyz`)).ok;
  await waitUntil(isReady, { until: 'the api answers again', timeoutMs: 20_000 });
});

test('only their owner can read the secrets that a start has made up', {
  timeout: TWO_STARTS_MS,
}, async () => {
  await using place = await makePlace();
  await place.start().waitForLine(READY, 60_000);

  expect((await stat(join(place.env.STATE_DIR, 'secrets.json'))).mode & 0o777).toBe(0o600);
});

test('in development a fault waits to be mended, a handler is seen to log, and a changed one is what runs a moment later', {
  timeout: THREE_STARTS_MS,
}, async () => {
  await using place = await makePlace();
  const JOBS_DIR = join(place.env.STATE_DIR, 'jobs');
  await mkdir(JOBS_DIR);
  await writeFile(join(JOBS_DIR, 'greet.ts'), 'const = 1;');
  const quickstart = place.start({ JOBS_DIR }, ['--watch']);
  await quickstart.waitForLine(/^The worker waits for its sources to change/, 60_000);
  await writeHandler(JOBS_DIR, 'before');
  await quickstart.waitForLine(READY, 60_000);
  const { submit } = printedCommands(quickstart.lines);
  const read = printedCommands(quickstart.lines).read;
  const runGreet = async () => {
    await paste(submit.replace(/-d '.*'/, `-d '{"type":"greet","payload":{}}'`));
    return JSON.parse(await paste(read)).result;
  };
  expect(await runGreet()).toBe('before');
  await quickstart.waitForLine(/^worker: \[[\d:]+\] INFO: greeting \{.*"type":"greet".*"word":"before"/);

  await writeHandler(JOBS_DIR, 'after');

  await waitUntil(async () => (await runGreet()) === 'after', {
    until: 'the new handler runs',
    timeoutMs: 60_000,
  });
});

async function writeHandler(jobsDir: string, greeting: string): Promise<void> {
  const source = `import { defineJob } from '@accepted/job';
import { z } from 'zod';
export default defineJob({ type: 'greet', payload: z.object({}), run: (_, ctx) => (ctx.logger.info({ word: '${greeting}' }, 'greeting'), '${greeting}') });
`;
  await writeFile(join(jobsDir, 'greet.ts'), source);
}

async function postgresPid(stateDir: string): Promise<number> {
  const file = join(stateDir, 'postgres/data/postmaster.pid');
  return Number((await readFile(file, 'utf8')).split('\n')[0]);
}
