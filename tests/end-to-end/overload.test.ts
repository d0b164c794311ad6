import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

test('npm run overload: of four times as much as the workers can do, what is accepted starts in time, and the rest is refused at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-overload-test-'));
  const args = ['bench/src/overload/main.ts', '--alone', '--folder', join(folder, 'run')];
  await using run = spawnProcess('scripts/run.mjs', { args });
  const { code } = await run.exited;

  expect(code, run.lines.join('\n')).toBe(0);
  const { workers } = JSON.parse(await readFile(join(folder, 'run/overload.json'), 'utf8'));
  const [half, four] = workers[0].steps;
  expect(half.refused).toBe(0);
  expect(four.refused).toBeGreaterThan(four.offered / 4);
  await rm(folder, { recursive: true });
}, 180_000);
