import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultKind } from '@accepted/faults/kinds';
import { reportRun } from '@accepted/faults/report/report-run';
import type { RunReport } from '@accepted/faults/report/run-report';
import { type FaultRun, runFaults } from '@accepted/faults/run-faults';
import { sql } from 'kysely';
import { describe, test } from 'vitest';

const SEEDS = [1, 20_261_122, 4];
const TIMEOUT_MS = 600_000;
/** Far longer than the sound product takes to give a job to the engine again that a wipe took from it. */
const LOST_AFTER_MS = 8_000;

interface BrokenRun extends Required<Pick<FaultRun, 'jobs' | 'faults' | 'processes' | 'isShown'>> {
  broken: string;
  in: 'api' | 'worker';
  by: FaultKind;
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
    processes: options.processes,
    shutdownTimeoutMs: 1_000,
    isShown: options.isShown,
    seed,
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

/** What a fault needs may be missing in a run: a zombie has to come back while the next attempt is under way. */
async function violationsOf(options: BrokenRun, id: string): Promise<string> {
  for (const seed of SEEDS) {
    const { verdicts } = await runBroken(options, seed);
    const violations = verdicts.find((verdict) => verdict.id === id)?.violations ?? [];
    if (violations.length > 0) return violations.join('\n');
  }
  return '';
}

/** Whether a query finds something. */
const finds = async (query: { limit(rows: 1): { execute(): Promise<unknown[]> } }) =>
  (await query.limit(1).execute()).length > 0;

// Nothing here is measured, so the runs do not mind each other.
describe.concurrent('the fault suite is red', { timeout: TIMEOUT_MS }, () => {
  test('without the fence: results of zombies are recorded as those of the winner', async ({ expect }) => {
    const run: BrokenRun = {
      broken: 'fencing-off',
      in: 'worker',
      by: 'worker-zombie',
      faults: 2,
      jobs: 400,
      processes: { apis: 1, workers: 2 },
      isShown: (db) =>
        finds(
          db
            .selectFrom('current_jobs')
            .select('id')
            .where('status', '=', 'succeeded')
            .where(sql<number>`(result ->> 'token')::int`, '<>', sql.ref<number>('attempt')),
        ),
    };
    expect(await violationsOf(run, 'I5')).toMatch(
      /was won by token \d+, but has the result of token \d+|has succeeded under token \d+ without an effect/,
    );
  });

  test('without the reconciler: jobs that a wipe took are never done', async ({ expect }) => {
    const run: BrokenRun = {
      broken: 'reconciler-off',
      in: 'worker',
      by: 'redis-killed-unpersisted',
      faults: 1,
      jobs: 600,
      processes: { apis: 1, workers: 2 },
      isShown: (db) =>
        finds(
          db
            .selectFrom('current_jobs')
            .select('id')
            .where('status', '=', 'queued')
            .where('dispatched_at', '<', sql<Date>`now() - ${LOST_AFTER_MS} * interval '1 ms'`),
        ),
    };
    expect(await violationsOf(run, 'I1')).toMatch(/was acknowledged and is queued/);
  });

  test('without the release of running jobs: a deploy burns attempts', async ({ expect }) => {
    const run: BrokenRun = {
      broken: 'release-off',
      in: 'worker',
      by: 'rolling-deploy',
      faults: 1,
      jobs: 100,
      processes: { apis: 1, workers: 1 },
      isShown: (db) =>
        finds(db.selectFrom('attempts').select('job_id').where(sql`error ->> 'code'`, '=', 'worker_lost')),
    };
    expect(await violationsOf(run, 'Leases')).toMatch(/was burnt: worker-\d was told to end/);
  });

  test('with leases that go by the clock of a worker: a clock that is fast ends those of others', async ({
    expect,
  }) => {
    const run: BrokenRun = {
      broken: 'lease-by-own-clock',
      in: 'worker',
      by: 'worker-clock-skewed',
      faults: 1,
      jobs: 200,
      processes: { apis: 1, workers: 2 },
      // The leases were lost while the fault was under way.
      isShown: async () => true,
    };
    expect(await violationsOf(run, 'Leases')).toMatch(/was lost while the clock of worker-\d was wrong/);
  });

  test('with an acknowledgement before the commit: acknowledged jobs are not there', async ({ expect }) => {
    const run: BrokenRun = {
      broken: 'ack-before-commit',
      in: 'api',
      by: 'api-killed',
      faults: 1,
      jobs: 400,
      processes: { apis: 1, workers: 1 },
      // The jobs were lost when the API was killed.
      isShown: async () => true,
    };
    expect(await violationsOf(run, 'I1')).toMatch(/was acknowledged and is not there/);
  });
});
