import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultKind } from '@accepted/faults/kinds';
import { reportRun } from '@accepted/faults/report/report-run';
import type { RunReport } from '@accepted/faults/report/run-report';
import { runFaults } from '@accepted/faults/run-faults';
import { describe, test } from 'vitest';

const SEEDS = [20_261_122, 1, 4];
const TIMEOUT_MS = 600_000;

interface BrokenRun {
  broken: string;
  in: 'api' | 'worker';
  by: FaultKind;
  faults: number;
  jobs: number;
  /** A run whose jobs are lost waits for them until then. */
  minutes?: number;
}

/** Runs the fault suite, small, on a product in which one thing was broken while it was loaded. */
async function runBroken(options: BrokenRun, seed: number): Promise<RunReport> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-broken-'));
  const patch = new URL(`../../faults/test/broken/${options.broken}.ts`, import.meta.url).href;
  await runFaults({
    folder,
    size: 'small',
    engine: 'redis',
    jobs: options.jobs,
    faults: options.faults,
    seed,
    minutes: options.minutes ?? 1,
    command: 'npm test',
    onProgress: () => undefined,
    preloads: { [options.in]: [patch] },
    only: [options.by],
  });
  const { report } = await reportRun(folder);
  await rm(folder, { recursive: true });
  return report;
}

/** What a fault needs may be missing in a run: a zombie has to come back while the next attempt is under way. */
async function violationsOf(options: BrokenRun, id: string): Promise<string> {
  for (const seed of SEEDS) {
    const { verdicts } = await runBroken(options, seed);
    const violations = verdicts.find((verdict) => verdict.id === id)?.violations ?? [];
    if (violations.length > 0) return violations.join('\n');
  }
  return '';
}

// Nothing here is measured, so the runs do not mind each other.
describe.concurrent('the fault suite is red', { timeout: TIMEOUT_MS }, () => {
  test('without the fence: results of zombies are recorded as those of the winner', async ({ expect }) => {
    const run: BrokenRun = { broken: 'fencing-off', in: 'worker', by: 'worker-zombie', faults: 2, jobs: 400 };
    expect(await violationsOf(run, 'I5')).toMatch(
      /was won by token \d+, but has the result of token \d+|has succeeded under token \d+ without an effect/,
    );
  });

  test('without the reconciler: jobs that a wipe took are never done', async ({ expect }) => {
    const by = 'redis-killed-unpersisted';
    const run: BrokenRun = {
      broken: 'reconciler-off',
      in: 'worker',
      by,
      faults: 1,
      jobs: 1_000,
      minutes: 0.5,
    };
    expect(await violationsOf(run, 'I1')).toMatch(/was acknowledged and is queued/);
  });

  test('without the release of running jobs: a deploy burns attempts', async ({ expect }) => {
    const run: BrokenRun = {
      broken: 'release-off',
      in: 'worker',
      by: 'rolling-deploy',
      faults: 1,
      jobs: 300,
    };
    expect(await violationsOf(run, 'Leases')).toMatch(/was burnt: worker-\d was told to end/);
  });

  test('with leases that go by the clock of a worker: a clock that is fast ends those of others', async ({
    expect,
  }) => {
    const by = 'worker-clock-skewed';
    const run: BrokenRun = { broken: 'lease-by-own-clock', in: 'worker', by, faults: 3, jobs: 400 };
    expect(await violationsOf(run, 'Leases')).toMatch(/was lost while the clock of worker-\d was wrong/);
  });

  test('with an acknowledgement before the commit: acknowledged jobs are not there', async ({ expect }) => {
    const run: BrokenRun = {
      broken: 'ack-before-commit',
      in: 'api',
      by: 'api-killed',
      faults: 2,
      jobs: 1_000,
    };
    expect(await violationsOf(run, 'I1')).toMatch(/was acknowledged and is not there/);
  });
});
