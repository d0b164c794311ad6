import { expect, test } from 'vitest';
import { desiredWorkers, type ScalingInput } from './desired-workers.ts';

const BUSY: ScalingInput = {
  backlog: 1_000,
  running: 40,
  oldestAgeMs: 9_000,
  drainPerSecond: 100,
  workers: 4,
  slots: 40,
  startObjectiveMs: 10_000,
};

const wanted = (change: Partial<ScalingInput>) => desiredWorkers({ ...BUSY, ...change });

test('as many stay as drain the backlog in time', () => {
  expect(wanted({})).toBe(4);
});

test.each([
  ['more jobs than drain in time', { backlog: 1_500 }, 6],
  ['a job that has waited for longer than the rate says', { oldestAgeMs: 15_000 }, 6],
  ['a step up at most twice as many', { backlog: 1_000_000 }, 8],
  ['nothing measured yet, and a job that waits for too long', { drainPerSecond: 0, oldestAgeMs: 12_000 }, 5],
  ['a small backlog and all slots taken', { backlog: 10, oldestAgeMs: 10 }, 4],
  ['a small backlog and few slots taken', { backlog: 10, oldestAgeMs: 10, running: 3 }, 1],
  ['no backlog, and jobs that run', { backlog: 0, oldestAgeMs: 0, running: 11 }, 2],
  ['the first job', { workers: 0, slots: 0, drainPerSecond: 0, running: 0, backlog: 1 }, 1],
  ['nothing to do', { backlog: 0, running: 0, oldestAgeMs: 0 }, 0],
  ['nothing to do and nobody there', { backlog: 0, running: 0, oldestAgeMs: 0, workers: 0, slots: 0 }, 0],
] as const)('%s', (_name, change, expected) => {
  expect(wanted(change)).toBe(expected);
});
