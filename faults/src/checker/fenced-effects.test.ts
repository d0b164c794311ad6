import { expect, test } from 'vitest';
import { checkFencedEffects } from './fenced-effects.ts';
import { attempt, effect, fault, soundRun } from './testing/sound-run.ts';

test('an effect that happens twice under one token is a violation', () => {
  const verdict = checkFencedEffects(soundRun({ effects: [effect(), effect()] }));
  expect(verdict.violations).toEqual(['The effect of job_1 under token 1 happened 2 times.']);
  expect(verdict.figures.duplicateFencedEffects).toBe(1);
});

test('an effect that happens again under another token is counted, not held against the run', () => {
  const verdict = checkFencedEffects(
    soundRun({ effects: [effect({ phase: 'start' }), effect(), effect({ token: 2 })] }),
  );
  expect(verdict.violations).toEqual([]);
  expect(verdict.figures).toMatchObject({ executions: 1, effects: 2, jobsWithMoreThanOneEffect: 1 });
});

test('two succeeded attempts of one round are a violation; of two rounds they are not', () => {
  const twice = (replayRound: number) =>
    checkFencedEffects(soundRun({ attempts: [attempt(), attempt({ attempt: 2, replayRound })] })).violations;
  expect(twice(0)).toEqual(['2 attempts of job_1 in round 0 have succeeded.']);
  expect(twice(1)).toEqual([]);
});

test('a run with zombies in which nothing was fenced proves nothing', () => {
  const faults = [fault({ kind: 'worker-zombie' })];
  expect(checkFencedEffects(soundRun({ faults })).violations).toEqual([
    'There were 1 zombies and no write was fenced: the run proves nothing of the fence.',
  ]);
  expect(checkFencedEffects(soundRun({ faults, fencing: { fenced: 1, discarded: 0 } })).violations).toEqual(
    [],
  );
});
