import { describe, expect, test } from 'vitest';
import type { LedgerAttempt } from '../ledger-rows.ts';
import { checkAttemptLimits } from './attempt-limits.ts';
import { ack, attempt, fault, job, soundRun } from './testing/sound-run.ts';

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

describe('a long job beside poison', () => {
  const beside = (attempts: LedgerAttempt[], over: Parameters<typeof soundRun>[0] = {}) =>
    violationsOf({
      acks: [ack({ kind: 'bystander' })],
      faults: [fault({ kind: 'poison-beside-innocents' })],
      attempts,
      ...over,
    });
  const givenBack = attempt({ outcome: 'released', errorCode: 'worker_lost' });

  test('may be given back, and succeeds later', () => {
    expect(beside([givenBack, attempt({ attempt: 2 })])).toEqual([]);
  });

  test('that loses an attempt is a violation', () => {
    expect(beside([givenBack, attempt({ attempt: 2, outcome: 'worker_lost' })])).toEqual([
      'Attempt 2 of job_1 (bystander) ended as worker_lost, of others.',
    ]);
  });

  test('that dies as poison is a violation', () => {
    const dead = { jobs: [job({ status: 'failed' })], deadLetters: letter('poison') };
    expect(beside([givenBack], dead)).toEqual(['job_1 (bystander) died as poison, of others.']);
  });

  test('that is never interrupted proves nothing', () => {
    expect(beside([attempt()])).toEqual([
      'No long job was interrupted by poison: the run proves nothing of innocents.',
    ]);
  });
});
