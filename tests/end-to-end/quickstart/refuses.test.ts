import { once } from 'node:events';
import { createServer } from 'node:http';
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
