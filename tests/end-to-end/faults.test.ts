import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, type RunReport } from '@accepted/faults/report/run-report';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { expect, test } from 'vitest';

/** The seed decides which of the kinds are in a run as short as this one, and when. */
const SEED = 11;

test('npm run faults: 5,000 jobs under a dozen faults, and every invariant holds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-faults-test-'));
  const json = join(folder, 'report.json');
  const args = ['faults/src/main.ts', '--size', 'small', '--seed', String(SEED), '--json', json];

  await using run = spawnProcess('scripts/run.mjs', { args });
  const { code } = await run.exited;

  const output = run.lines.join('\n');
  expect(code, output).toBe(0);
  expect(output).toMatch(/^I1 .* ok$/m);
  expect(output).toContain('GREEN');
  const report = JSON.parse(await readFile(json, 'utf8')) as RunReport;
  expect(report.green).toBe(true);
  expect(figure(report, 'I1', 'acknowledged')).toBeGreaterThanOrEqual(5_000);
  expect(figure(report, 'I1', 'lost')).toBe(0);
  expect(figure(report, 'I4', 'zombieWritesRefused')).toBeGreaterThan(0);
  expect(figure(report, 'Run', 'faults')).toBeGreaterThanOrEqual(10);
  expect(figure(report, 'Run', 'kinds')).toBeGreaterThanOrEqual(6);
  await rm(folder, { recursive: true });
}, 600_000);
