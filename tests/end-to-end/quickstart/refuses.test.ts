import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePlace, startQuickstart } from './quickstart.ts';

test('a busy port gives one sentence that says what to do', async () => {
  await using place = await makePlace();
  const server = createServer().listen(Number(place.env.PORT), '127.0.0.1');
  await once(server, 'listening');

  await expectSentence(place.env, /^Port \d+ is busy: .* such as PORT=\d+ npm start$/);
  server.close();
});

test.each([
  ['nobody listens', 'postgres://me:word@127.0.0.1:1/accepted', /ECONNREFUSED/],
  ['the host is unknown', 'postgres://me:word@no.such.host.invalid/accepted', /ENOTFOUND|EAI_AGAIN/],
])('a DATABASE_URL where %s gives one sentence that says what to do', async (_, DATABASE_URL, why) => {
  await using place = await makePlace();

  const sentence = await expectSentence(
    { ...place.env, DATABASE_URL },
    /^The database at DATABASE_URL .* correct/,
  );
  expect(sentence).toMatch(why);
  expect(sentence).not.toContain('word');
});

test('an unreachable REDIS_URL gives one sentence that says what to do', async () => {
  await using place = await makePlace();

  const env = { ...place.env, REDIS_URL: 'redis://127.0.0.1:1' };
  expect(await expectSentence(env, /^Redis cannot be reached at REDIS_URL .* unset it/)).toContain(
    'ECONNREFUSED',
  );
});

test('a JOBS_DIR that is not there gives one sentence that says what to do', async () => {
  await using place = await makePlace();

  const JOBS_DIR = join(place.env.STATE_DIR, 'nowhere');
  const sentence = await expectSentence({ ...place.env, JOBS_DIR }, /^JOBS_DIR is .*nowhere.* create/);
  expect(sentence).toContain('ENOENT');
});

test('handlers that can never be loaded end the start at once, each fault with its file and line', {
  timeout: 120_000,
}, async () => {
  await using place = await makePlace();
  const JOBS_DIR = join(place.env.STATE_DIR, 'jobs');
  await mkdir(JOBS_DIR);
  await writeFile(join(JOBS_DIR, 'a.ts'), 'const a = 1;\nconst = 2;\n');
  await writeFile(join(JOBS_DIR, 'b.ts'), HANDLER);
  await writeFile(join(JOBS_DIR, 'c.ts'), HANDLER);

  const quickstart = place.start({ JOBS_DIR });
  await quickstart.waitForLine(/^ {2}API and worker \.\.\./, 60_000);
  const startedAt = performance.now();
  expect(await quickstart.exited).toEqual({ code: 1, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  const lines = quickstart.lines.filter((line) => line.startsWith('worker: '));
  expect(lines).toEqual([
    'worker: The worker could not start: The handlers cannot be loaded:',
    expect.stringMatching(`^worker:   - ${JOBS_DIR}/a\\.ts:2:7: Unexpected token`),
    `worker:   - ${JOBS_DIR}/c.ts:3:34: "greet" is already defined by ${JOBS_DIR}/b.ts`,
  ]);
  expect(quickstart.lines).toContain('The worker cannot start: mend what its lines above say');
});

const HANDLER = `import { defineJob } from '@accepted/job';
import { z } from 'zod';
export default defineJob({ type: 'greet', payload: z.object({}), run: () => null });
`;

test('all faults of the configuration are named at once', async () => {
  await using quickstart = startQuickstart({ PORT: 'http', DATABASE_URL: 'mysql://db', LOG_LEVEL: 'loud' });

  expect(await quickstart.exited).toEqual({ code: 1, signal: null });
  const names = quickstart.lines.map((line) => line.match(/^ {2}([A-Z_]+) is /)?.[1]).filter(Boolean);
  expect(names.sort()).toEqual(['DATABASE_URL', 'LOG_LEVEL', 'PORT']);
});

/** Expects the start to end with exit code 1 and, apart from progress, one line. */
async function expectSentence(env: Record<string, string>, pattern: RegExp): Promise<string> {
  await using quickstart = startQuickstart(env);
  expect(await quickstart.exited).toEqual({ code: 1, signal: null });
  const [sentence = '', ...more] = quickstart.lines.filter(
    (line) => !/^( {2}|Accepted is starting)/.test(line),
  );
  expect(sentence).toMatch(pattern);
  expect(more).toEqual([]);
  return sentence;
}
