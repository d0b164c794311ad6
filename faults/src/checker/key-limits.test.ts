import { expect, test } from 'vitest';
import { checkKeyLimits } from './key-limits.ts';
import { attempt, effect, job, soundRun } from './testing/sound-run.ts';

/** Two jobs of one key; the first runs from 1,100 to 1,200, the second from `from` to 1,300. */
const runTwo = (
  from: number,
  over: { key?: string; outcome?: string; createdAt?: number; queue?: string } = {},
) => {
  const limited = (jobId: string, concurrencyKey = 'account') => job({ jobId, concurrencyKey });
  const ran = (jobId: string, start: number, end: number) => [
    effect({ jobId, phase: 'start', at: start }),
    effect({ jobId, at: end }),
  ];
  return checkKeyLimits(
    soundRun({
      run: { ...soundRun().run, size: 'standard' },
      jobs: [
        limited('job_1'),
        {
          ...limited('job_2', over.key),
          type: 'fault.account',
          queue: over.queue ?? 'accounts',
          createdAt: over.createdAt ?? 1_000,
        },
      ],
      attempts: [attempt({ outcome: over.outcome ?? 'succeeded' }), attempt({ jobId: 'job_2' })],
      effects: [...ran('job_1', 1_100, 1_200), ...ran('job_2', from, 1_300)],
    }),
  );
};
const PROVES_NOTHING = 'No job had to wait for another of its key: the run proves nothing of limits.';

test('two jobs of one key that run at once are a violation, whatever type and queue they are of; one after the other they are not', () => {
  expect(runTwo(1_199).violations).toEqual(['job_1 and job_2 ran at once under the key account.']);
  expect(runTwo(1_200)).toMatchObject({
    violations: [],
    figures: { limitedJobs: 2, hadToWait: 1, hadToWaitForOtherQueue: 1, wiped: 1, ranAtOnce: 0 },
  });
});

test('jobs of two keys, and an attempt that was lost, may overlap', () => {
  expect(runTwo(1_150, { key: 'other' }).figures.ranAtOnce).toBe(0);
  expect(runTwo(1_150, { outcome: 'worker_lost' }).figures.ranAtOnce).toBe(0);
});

test('a run in which no job had to wait proves nothing', () => {
  expect(runTwo(1_250, { createdAt: 1_240 }).violations).toEqual([PROVES_NOTHING]);
});

test('a run in which none had to wait for one in another queue proves nothing of that', () => {
  expect(runTwo(1_200, { queue: 'default' }).violations).toEqual([
    'No job had to wait for one of its key in another queue: the run proves nothing of that.',
  ]);
});
