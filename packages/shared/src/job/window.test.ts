import { expect, test } from 'vitest';
import { followWindow, refillInMs, windowSize } from './window.ts';

test('the window holds two jobs a handler and a tenth of a second of throughput', () => {
  expect(windowSize(20, 0)).toBe(40);
  expect(windowSize(20, 1_234)).toBe(164);
});

test('what left the window since the last turn tells how fast it drains', () => {
  const first = followWindow(undefined, { waitingBefore: 0, dispatched: 40, atMs: 0 });
  expect(first).toEqual({ waiting: 40, claimedPerSecond: 0, atMs: 0 });
  const second = followWindow(first, { waitingBefore: 10, dispatched: 30, atMs: 10 });
  expect(second).toEqual({ waiting: 40, claimedPerSecond: 1_500, atMs: 10 });
});

test('jobs that somebody else added never make the rate negative, and an idle queue forgets it', () => {
  let state = { waiting: 10, claimedPerSecond: 800, atMs: 0 };
  state = followWindow(state, { waitingBefore: 30, dispatched: 0, atMs: 100 });
  expect(state).toEqual({ waiting: 30, claimedPerSecond: 400, atMs: 100 });
  for (let turn = 0; turn < 20; turn += 1)
    state = followWindow(state, { waitingBefore: 30, dispatched: 0, atMs: state.atMs + 500 });
  expect(state.claimedPerSecond).toBeLessThan(1);
});

test('a turn within the same millisecond measures nothing', () => {
  const state = { waiting: 40, claimedPerSecond: 800, atMs: 5 };
  expect(followWindow(state, { waitingBefore: 0, dispatched: 40, atMs: 5 }).claimedPerSecond).toBe(800);
});

test.each([
  ['half used up already', 20, 1_000, 0],
  ['half used up soon', 40, 1_000, 20],
  ['slow handlers', 40, 1, 100],
  ['nothing moves', 40, 0, 100],
])('refills in time: %s', (_name, waiting, claimedPerSecond, ms) => {
  expect(refillInMs({ waiting, claimedPerSecond, atMs: 0 }, 40)).toBe(ms);
});
