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

test('an effect that comes after that of a larger token is refused by the sink, and must not have won', () => {
  const effects = [effect({ token: 2, at: 1_140 }), effect({ at: 1_150 })];
  const won = (attemptNumber: number) =>
    checkFencedEffects(soundRun({ effects, attempts: [attempt({ attempt: attemptNumber })] }));

  expect(won(2)).toMatchObject({ violations: [], figures: { effectsRefusedBySink: 1 } });
  expect(won(1).violations).toEqual([
    'job_1 was won by token 1, whose effect came after that of a larger one.',
  ]);
});

test('a run with zombies in which no write of one was refused proves nothing', () => {
  const faults = [fault({ kind: 'worker-zombie' })];
  const sayings = [{ what: 'fenced', pid: 7, jobId: 'job_1', attempt: 1 } as const];
  const check = (outcome: string, said: ReturnType<typeof soundRun>['sayings'] = sayings) =>
    checkFencedEffects(soundRun({ faults, sayings: said, attempts: [attempt({ outcome })] }));

  expect(check('worker_lost')).toMatchObject({
    violations: [],
    figures: { zombieWritesRefused: 1, outcomesSentAgain: 0 },
  });
  const nothing = [
    'There were 1 zombies and no write of one was refused: the run proves nothing of the fence.',
  ];
  expect(check('succeeded')).toMatchObject({
    violations: nothing,
    figures: { zombieWritesRefused: 0, outcomesSentAgain: 1 },
  });
  expect(check('worker_lost', []).violations).toEqual(nothing);
  const heldBack = check('worker_lost', [{ what: 'discarded', pid: 7, jobId: 'job_1', attempt: 1 }]);
  expect(heldBack).toMatchObject({ violations: nothing, figures: { heldBackByZombies: 1 } });
});
