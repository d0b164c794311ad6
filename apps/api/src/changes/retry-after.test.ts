import { expect, test } from 'vitest';
import { retryAfterSeconds } from './retry-after.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const load = (waiting: number, finishedPerSecond: number, concurrency = 10) => ({
  waiting,
  finishedPerSecond,
  concurrency,
});

test.each([
  ['a backlog drains at the measured rate', 'queued', 0, load(500, 50), 10],
  ['an idle queue answers at once', 'queued', 0, load(0, 0), 1],
  ['without a measured rate the slots count', 'queued', 0, load(100, 0, 20), 5],
  ['without a worker', 'queued', 0, load(0, 0, 0), 30],
  ['without any load known', 'queued', 0, undefined, 1],
  ['a scheduled job counts from its time', 'scheduled', 60, load(100, 10), 70],
  ['a retrying job counts from its time', 'retrying', 7.2, load(0, 10), 8],
  ['a running job may finish at any time', 'running', -5, load(500, 1), 1],
  ['never more than five minutes', 'scheduled', 86_400, load(0, 1), 300],
  ['an enormous backlog', 'queued', 0, load(50_000, 0.001), 300],
] as const)('%s', (_name, status, dueIn, queueLoad, seconds) => {
  expect(retryAfterSeconds({ status, run_at: inSeconds(dueIn) }, queueLoad, NOW)).toBe(seconds);
});

test('a finished job need not be asked for again', () => {
  expect(retryAfterSeconds({ status: 'failed', run_at: NOW }, load(10, 1), NOW)).toBeUndefined();
});

test('a tenant cannot tell from it how many jobs others have', () => {
  const secondsOf = (waiting: number) =>
    retryAfterSeconds({ status: 'queued', run_at: NOW }, load(waiting, 0, 1), NOW);
  expect([51, 60, 69].map(secondsOf)).toEqual([70, 70, 70]);
});
