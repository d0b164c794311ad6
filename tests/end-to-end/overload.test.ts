import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

/**
 * Times are for the command to judge: a machine that others use as well is too slow for them, and Postgres may not answer there
 * within the time that a request has.
 */
test('npm run overload: of four times as much as the workers can do the rest is refused, and all that is accepted is started', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-overload-test-'));
  const only = ['--only', 'workers', '--alone'];
  const args = ['bench/src/overload/main.ts', ...only, '--folder', join(folder, 'run')];
  await using run = spawnProcess('scripts/run.mjs', { args });
  await run.exited;

  const output = run.lines.join('\n');
  const report = await readFile(join(folder, 'run/overload.json'), 'utf8').catch(() => '{}');
  const { parts } = JSON.parse(report);
  expect(parts, output).toHaveLength(1);
  const [half, four] = parts[0].figures[0].steps;
  const { database_unavailable: late = 0, ...others } = { ...half.othersByKind, ...four.othersByKind };
  expect([half.refused, others], output).toEqual([0, {}]);
  expect(late, output).toBeLessThan(four.offered / 100);
  expect(four.refused, output).toBeGreaterThan(four.offered / 4);
  await rm(folder, { recursive: true });
}, 180_000);
