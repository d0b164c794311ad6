import { expect, test } from 'vitest';
import { checkEvidence } from './check-evidence.ts';
import { soundRun } from './testing/sound-run.ts';

test('a sound run has no violation, and every invariant is checked once', () => {
  const verdicts = checkEvidence(soundRun());

  expect(verdicts.flatMap((verdict) => verdict.violations)).toEqual([]);
  expect(verdicts.map((verdict) => verdict.id)).toEqual([
    ...['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9'],
    ...['Limits', 'Admit', 'Weights', 'Others', 'Leases', 'Refuse', 'Exits', 'Memory', 'Run'],
  ]);
});
