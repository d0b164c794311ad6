import { expect, test } from 'vitest';
import { retryAfterSeconds, secondsToFinish } from './retry-after.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const starting = (inSeconds: number | undefined, runsFor = 0) => ({
  startsInMs: inSeconds === undefined ? undefined : inSeconds * 1_000,
  runsForMs: runsFor * 1_000,
});

test.each([
  ['a job that waits has ended when it has started and run', 'queued', 0, starting(8, 2), 10],
  ['one that starts at once may have ended at once', 'queued', 0, starting(0), 1],
  ['one that starts at once and runs for long', 'queued', 0, starting(0, 40), 50],
  ['where that depends on somebody', 'queued', 0, starting(undefined), 30],
  ['a scheduled job counts from its time', 'scheduled', 60, starting(10), 70],
  ['a retrying job counts from its time', 'retrying', 7.2, starting(0), 8],
  ['never more than five minutes', 'scheduled', 86_400, starting(0), 300],
  ['an enormous backlog', 'queued', 0, starting(50_000), 300],
] as const)('%s', (_name, status, dueIn, foreseen, seconds) => {
  expect(retryAfterSeconds({ status, run_at: inSeconds(dueIn), started_at: null }, foreseen, NOW)).toBe(
    seconds,
  );
});

test.each([
  ['has just begun', 0, 12, 12],
  ['has run for a while', 9.5, 12, 3],
  ['may end at any time', 12, 12, 2],
  ['has run for much longer than others, again after a part of that', 120, 12, 12],
  ['is of a type that nobody knows', 3, 0.01, 1],
] as const)('a job that runs and %s', (_how, ran, runsFor, seconds) => {
  const job = { status: 'running', run_at: inSeconds(-ran), started_at: inSeconds(-ran) } as const;
  expect(retryAfterSeconds(job, starting(undefined, runsFor), NOW)).toBe(seconds);
});

test('a finished job need not be asked for again', () => {
  const job = { status: 'failed', run_at: NOW, started_at: NOW } as const;
  expect(retryAfterSeconds(job, starting(1), NOW)).toBeUndefined();
});

test('a tenant cannot tell from it how many jobs others have', () => {
  const secondsOf = (startsIn: number) =>
    retryAfterSeconds({ status: 'queued', run_at: NOW, started_at: null }, starting(startsIn), NOW);
  expect([51, 60, 69].map(secondsOf)).toEqual([70, 70, 70]);
});

test('jobs are done as fast as others, and nobody knows when where none are', () => {
  expect(secondsToFinish(500, 50)).toBe(10);
  expect(secondsToFinish(500, 0)).toBe(30);
  expect(secondsToFinish(500, undefined)).toBe(30);
});
