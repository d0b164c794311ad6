import { expect, test } from 'vitest';
import type { LedgerJob } from '../ledger-rows.ts';
import { checkLaidDownLimits } from './laid-down-limits.ts';
import { attempt, effect, job, soundRun } from './testing/sound-run.ts';

interface Ran extends Partial<LedgerJob> {
  from: number;
  to: number;
  outcome?: string;
}

/** Two are of the type at once, in two queues, and four in the queue: as many as may. */
const FULL: Ran[] = [
  { type: 'faults.account', queue: 'accounts', from: 1_000, to: 1_200 },
  { type: 'faults.account', queue: 'default', from: 1_100, to: 1_300 },
  ...Array.from({ length: 4 }, () => ({ type: 'faults.weighed', queue: 'weighed', from: 1_000, to: 1_100 })),
];

const check = (more: Ran[] = [], before = FULL, size: 'small' | 'standard' = 'standard') => {
  const ran = [...before, ...more].map(({ from, to, outcome = 'succeeded', ...of }, n) => {
    const jobId = `job_${n}`;
    return {
      job: job({ jobId, ...of }),
      attempt: attempt({ jobId, outcome }),
      effects: [effect({ jobId, phase: 'start', at: from }), effect({ jobId, at: to })],
    };
  });
  return checkLaidDownLimits(
    soundRun({
      run: { ...soundRun().run, size, loadEndedAt: 5_000 },
      jobs: ran.map((each) => each.job),
      attempts: ran.map((each) => each.attempt),
      effects: ran.flatMap((each) => each.effects),
    }),
  );
};
const ofType = (over: Partial<Ran> = {}): Ran => ({
  ...{ type: 'faults.account', queue: 'default', from: 1_199, to: 1_250 },
  ...over,
});
const ofQueue = (over: Partial<Ran> = {}): Ran => ({
  ...{ type: 'faults.weighed', queue: 'weighed', from: 1_099, to: 1_150 },
  ...over,
});

test('as many as may run at once', () => {
  expect(check([ofType({ from: 1_200 }), ofQueue({ from: 1_100 })])).toEqual({
    violations: [],
    figures: { jobsOfType: 3, typeWasFull: 2, typeOverfull: 0, queueWasFull: 1, queueOverfull: 0 },
  });
});

test('one more of the type is a violation, in whichever of its queues', () => {
  const tooMany = ['job_0, job_1, job_6 ran at once; of the type faults.account 2 may.'];

  expect(check([ofType()]).violations).toEqual(tooMany);
  expect(check([ofType({ queue: 'accounts' })]).violations).toEqual(tooMany);
});

test('one more in the queue is a violation, until its limit was lifted', () => {
  expect(check([ofQueue()]).violations).toEqual([
    'job_2, job_3, job_4, job_5, job_6 ran at once; of the queue weighed 4 may.',
  ]);
  const later = Array.from({ length: 9 }, () => ofQueue({ from: 5_000, to: 5_100 }));
  expect(check(later).violations).toEqual([]);
});

test('a job of another type, and an attempt that was lost, count for nothing', () => {
  expect(check([ofType({ type: 'faults.effect' }), ofType({ outcome: 'worker_lost' })]).violations).toEqual(
    [],
  );
});

test('a run in which as many as may never ran proves nothing, which a small one may', () => {
  expect(check([], FULL.slice(0, 1)).violations).toEqual([
    'Of the type faults.account never 2 ran at once: the run proves nothing of it.',
    'Of the queue weighed never 4 ran at once: the run proves nothing of it.',
  ]);
  expect(check([], FULL.slice(0, 1), 'small').violations).toEqual([]);
});
