import { expect, test } from 'vitest';
import { checkAttemptLimits } from './attempt-limits.ts';
import { ack, attempt, job, soundRun } from './testing/sound-run.ts';

const violationsOf = (over: Parameters<typeof soundRun>[0]) => checkAttemptLimits(soundRun(over)).violations;
const letter = (reason: string) => [
  { jobId: 'job_1', reason, attempt: 3, createdAt: 1, resolution: null } as const,
];
const attempts = (numbers: number[], outcome = 'failed') =>
  numbers.map((number) => attempt({ attempt: number, outcome }));

test('more attempts than allowed are a violation; those given back and those of another round do not count', () => {
  expect(violationsOf({ jobs: [job({ attemptsMade: 4 })] })).toEqual(['job_1 had 4 attempts of 3.']);
  expect(violationsOf({ attempts: attempts([1, 2, 3, 4]) })).toEqual(['job_1 had 4 attempts of 3.']);
  expect(violationsOf({ attempts: [...attempts([1, 2, 3]), ...attempts([4], 'released')] })).toEqual([]);
  expect(
    violationsOf({ attempts: [...attempts([1, 2, 3]), attempt({ attempt: 4, replayRound: 1 })] }),
  ).toEqual([]);
});

test('poison ends as poison, and for no other reason', () => {
  const poison = { acks: [ack({ kind: 'poison' })], jobs: [job({ status: 'failed' })] };
  expect(violationsOf({ ...poison, deadLetters: letter('poison') })).toEqual([]);
  expect(violationsOf({ ...poison, deadLetters: letter('attempts_exhausted') })).toEqual([
    'job_1 (poison) failed, but not as poison.',
  ]);
  expect(violationsOf({ acks: [ack({ kind: 'poison' })] })).toEqual(['job_1 (poison) ended as succeeded.']);
});

test('another job that dies of poison is a violation', () => {
  expect(violationsOf({ jobs: [job({ status: 'failed' })], deadLetters: letter('poison') })).toEqual([
    'job_1 (plain) died as poison, of others.',
  ]);
});

test('a job that ends as its kind should not is a violation', () => {
  expect(violationsOf({ jobs: [job({ status: 'failed' })] })).toEqual(['job_1 (plain) ended as failed.']);
  expect(violationsOf({ acks: [ack({ kind: 'canceled' })], jobs: [job({ status: 'canceled' })] })).toEqual(
    [],
  );
});
