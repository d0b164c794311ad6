import { expect, test } from 'vitest';
import { followWindow, refillInMs, type WindowState, windowSize } from './window.ts';

test('the window holds two jobs a handler and a tenth of a second of throughput', () => {
  expect(windowSize(20, 0)).toBe(40);
  expect(windowSize(20, 1_234)).toBe(164);
});

const begun = followWindow(undefined, { waitingBefore: 0, dispatched: 40, atMs: 0 });

test('what left the window tells how fast it drains', () => {
  expect(begun).toEqual({ waiting: 40, claimedPerSecond: 0, left: 0, measuredAtMs: 0 });
  const next = followWindow(begun, { waitingBefore: 10, dispatched: 30, atMs: 20 });
  expect(next).toEqual({ waiting: 40, claimedPerSecond: 750, left: 0, measuredAtMs: 20 });
});

test('turns that follow each other closely are measured together', () => {
  const second = followWindow(begun, { waitingBefore: 10, dispatched: 30, atMs: 2 });
  expect(second).toEqual({ waiting: 40, claimedPerSecond: 0, left: 30, measuredAtMs: 0 });
  const third = followWindow(second, { waitingBefore: 30, dispatched: 0, atMs: 20 });
  expect(third).toMatchObject({ waiting: 30, claimedPerSecond: 1_000, left: 0 });
});

test('jobs that somebody else added never make the rate negative, and an idle queue forgets it', () => {
  let state: WindowState = { waiting: 10, claimedPerSecond: 800, left: 0, measuredAtMs: 0 };
  state = followWindow(state, { waitingBefore: 30, dispatched: 0, atMs: 100 });
  expect(state).toMatchObject({ waiting: 30, claimedPerSecond: 400 });
  for (let turn = 0; turn < 20; turn += 1)
    state = followWindow(state, { waitingBefore: 30, dispatched: 0, atMs: state.measuredAtMs + 500 });
  expect(state.claimedPerSecond).toBeLessThan(1);
});

test('a wiped engine does not make the window many times as large', () => {
  const full = { waiting: 300, claimedPerSecond: 2_600, left: 0, measuredAtMs: 0 };
  const wiped = followWindow(full, { waitingBefore: 0, dispatched: 300, atMs: 21 });
  expect(windowSize(20, wiped.claimedPerSecond)).toBeLessThan(1_000);
});

test.each([
  ['half used up already', 20, 1_000, 0],
  ['half used up soon', 40, 1_000, 20],
  ['slow handlers', 40, 1, 100],
  ['nothing moves', 40, 0, 100],
])('refills in time: %s', (_name, waiting, claimedPerSecond, ms) => {
  expect(refillInMs({ waiting, claimedPerSecond }, 40)).toBe(ms);
});
