import { expect, test } from 'vitest';
import { checkRecordedEffects } from './recorded-effects.ts';
import { attempt, delivery, effect, job, soundRun } from './testing/sound-run.ts';

const violationsOf = (over: Parameters<typeof soundRun>[0]) =>
  checkRecordedEffects(soundRun(over)).violations;

test('a run of a handler without an attempt under its token is unrecorded', () => {
  const effects = [effect(), effect({ token: 2, phase: 'start' }), effect({ token: 2 })];
  expect(violationsOf({ effects })).toEqual(['job_1 ran under token 2, of which there is no attempt.']);
});

test('a job that succeeded without an effect is unfounded', () => {
  expect(violationsOf({ effects: [effect({ phase: 'start' })] })).toEqual([
    'job_1 has succeeded under token 1 without an effect.',
  ]);
});

test('an effect under a token that lost does not stand for the one that won', () => {
  const attempts = [attempt({ outcome: 'worker_lost' }), attempt({ attempt: 2 })];
  expect(violationsOf({ attempts, jobs: [job({ attempt: 2, resultToken: 2 })] })).toEqual([
    'job_1 has succeeded under token 2 without an effect.',
  ]);
});

test('a result of another attempt than the one that won got past the fence', () => {
  const attempts = [attempt({ outcome: 'worker_lost' }), attempt({ attempt: 2 })];
  const effects = [effect(), effect({ token: 2 })];
  expect(violationsOf({ attempts, effects, jobs: [job({ attempt: 2, resultToken: 1 })] })).toEqual([
    'job_1 was won by token 2, but has the result of token 1.',
  ]);
});

test('a success without a succeeded attempt is unfounded', () => {
  expect(violationsOf({ attempts: [attempt({ outcome: 'failed' })], jobs: [job()] })).toEqual([
    'job_1 has succeeded without an attempt that has.',
  ]);
});

test('after a replay the last round counts, and deliveries are not asked for effects', () => {
  const attempts = [attempt({ outcome: 'failed' }), attempt({ attempt: 2, replayRound: 1 })];
  const effects = [effect({ phase: 'start' }), effect({ token: 2 })];
  const jobs = [job({ attempt: 2, replayRound: 1, resultToken: 2 }), delivery()];
  expect(violationsOf({ attempts, effects, jobs })).toEqual([]);
});
