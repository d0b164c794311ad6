import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultKind } from '@accepted/faults/logs';
import { reportRun } from '@accepted/faults/report/report-run';
import type { RunReport } from '@accepted/faults/report/run-report';
import { runFaults } from '@accepted/faults/run-faults';
import { expect, test } from 'vitest';

const SEEDS = [20_261_122, 1, 4];

interface BrokenRun {
  broken: string;
  in: 'api' | 'worker';
  by: FaultKind;
  faults: number;
  jobs: number;
  seed?: number;
}

/** Runs the fault suite, small, on a product in which one thing was broken while it was loaded. */
async function runBroken(options: BrokenRun): Promise<RunReport> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-broken-'));
  const patch = new URL(`../../faults/test/broken/${options.broken}.ts`, import.meta.url).href;
  await runFaults({
    folder,
    size: 'small',
    engine: 'redis',
    jobs: options.jobs,
    faults: options.faults,
    seed: options.seed ?? 1,
    minutes: 1,
    command: 'npm test',
    onProgress: () => undefined,
    preloads: { [options.in]: [patch] },
    only: [options.by],
  });
  const { report } = await reportRun(folder);
  await rm(folder, { recursive: true });
  return report;
}

const violated = (report: RunReport) =>
  report.verdicts.filter((verdict) => verdict.violationCount > 0).map((verdict) => verdict.id);

const violationsOf = (report: RunReport, id: string) =>
  report.verdicts.find((verdict) => verdict.id === id)?.violations ?? [];

/** A zombie has to come back while the next attempt runs, which on a busy machine not each of them does. */
async function runUntilRed(options: BrokenRun, id: string): Promise<string[]> {
  for (const seed of SEEDS) {
    const violations = violationsOf(await runBroken({ ...options, seed }), id);
    if (violations.length > 0) return violations;
  }
  return [];
}

test('without the fence the run is red: results of zombies are recorded as those of the winner', async () => {
  const violations = await runUntilRed(
    { broken: 'fencing-off', in: 'worker', by: 'worker-zombie', faults: 4, jobs: 400 },
    'I5',
  );

  expect(violations.join('\n')).toMatch(
    /was won by token \d+, but has the result of token \d+|has succeeded under token \d+ without an effect/,
  );
}, 400_000);

test('without the reconciler the run is red: jobs that a wipe took are never done', async () => {
  const report = await runBroken({
    broken: 'reconciler-off',
    in: 'worker',
    by: 'redis-killed-unpersisted',
    faults: 2,
    jobs: 1_500,
  });

  expect(violated(report)).toEqual(expect.arrayContaining(['I1', 'I8']));
  expect(violationsOf(report, 'I1').join('\n')).toMatch(/was acknowledged and is queued/);
}, 150_000);

test('without the release of running jobs the run is red: a deploy burns attempts', async () => {
  // A deploy may meet no job that takes longer than it gives them.
  const violations = await runUntilRed(
    { broken: 'release-off', in: 'worker', by: 'rolling-deploy', faults: 1, jobs: 300 },
    'Leases',
  );

  expect(violations.join('\n')).toMatch(/was burnt: worker-\d was told to end/);
}, 400_000);

test('with leases that go by the clock of a worker the run is red: a clock that is fast ends those of others', async () => {
  const violations = await runUntilRed(
    { broken: 'lease-by-own-clock', in: 'worker', by: 'worker-clock-skewed', faults: 3, jobs: 400 },
    'Leases',
  );

  expect(violations.join('\n')).toMatch(/was lost while the clock of worker-\d was wrong/);
}, 400_000);

test('with an acknowledgement before the commit the run is red: acknowledged jobs are not there', async () => {
  const report = await runBroken({
    broken: 'ack-before-commit',
    in: 'api',
    by: 'api-killed',
    faults: 3,
    jobs: 2_000,
  });

  expect(violated(report)).toContain('I1');
  expect(violationsOf(report, 'I1').join('\n')).toMatch(/was acknowledged and is not there/);
}, 150_000);
