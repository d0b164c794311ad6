import { startPostgresServer } from '@accepted/testing/postgres-server';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

const MAIN = 'apps/migrate/src/main.ts';

test('several migrations at once leave one schema, and a later one has nothing to do', async () => {
  await using server = await startPostgresServer();
  const env = { DATABASE_URL: server.url };

  const racers = Array.from({ length: 3 }, () => spawnProcess(MAIN, { env }));
  expect(await Promise.all(racers.map((racer) => racer.exited))).toEqual(
    racers.map(() => ({ code: 0, signal: null })),
  );
  expect(racers.flatMap((racer) => racer.lines).filter((line) => line.includes('0001_ledger'))).toHaveLength(
    1,
  );

  await using late = spawnProcess(MAIN, { env });
  expect(await late.waitForLine(/^Ledger/)).toMatch(/^Ledger: nothing to do; its schema is \d+\.\d+$/);
});

test('a database that does not answer, or is not named, ends it with one line and exit code 1', async () => {
  await using wrong = spawnProcess(MAIN, { env: { DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/none' } });
  expect(await wrong.exited).toEqual({ code: 1, signal: null });
  expect(wrong.lines).toEqual([expect.stringContaining('ECONNREFUSED')]);

  await using missing = spawnProcess(MAIN);
  expect(await missing.exited).toEqual({ code: 1, signal: null });
  expect(missing.lines.join('\n')).toContain('DATABASE_URL is not set');
});
