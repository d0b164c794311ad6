import { expect, test } from 'vitest';
import { checkFiredFaults } from './fired-faults.ts';
import { fault, soundRun } from './testing/sound-run.ts';

const { run } = soundRun();

test('a fault that was not seen to fire fails the run, and does not count', () => {
  const faults = [fault({ fired: false, firedProof: 'the worker was between two lives' })];
  const verdict = checkFiredFaults(soundRun({ faults }));
  expect(verdict.violations).toEqual([
    'worker-killed on worker-1 did not fire: the worker was between two lives.',
    '0 faults fired; 1 were asked for.',
  ]);
  expect(verdict.figures).toMatchObject({ faults: 0, kill9: 0 });
});

test('a fault without proof did not fire', () => {
  expect(checkFiredFaults(soundRun({ faults: [fault({ firedProof: '' })] })).violations).toContain(
    'worker-killed on worker-1 did not fire: no proof.',
  );
});

test('what the harness has to object to fails the run', () => {
  expect(
    checkFiredFaults(soundRun({ run: { ...run, problems: ['api-1 did not end.'] } })).violations,
  ).toEqual(['api-1 did not end.']);
});

test('faults are counted by what they do', () => {
  const faults = [
    fault(),
    fault({ kind: 'redis-killed-unpersisted' }),
    fault({ kind: 'postgres-crashed' }),
    fault({ kind: 'worker-zombie' }),
  ];
  expect(checkFiredFaults(soundRun({ faults })).figures).toMatchObject({
    ...{ faults: 4, kinds: 4, kill9: 2, wipes: 1, postgresCrashes: 1, zombies: 1 },
  });
});
