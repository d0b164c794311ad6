import { expect, test } from 'vitest';
import { followWindow, refillInMs, slowWindowSize, type WindowState, windowSize } from './window.ts';

test('the window holds three jobs a handler and a fifth of a second of throughput', () => {
  expect(windowSize(20, 0)).toBe(60);
  expect(windowSize(20, 1_234)).toBe(307);
});

test('of slow jobs it holds one a handler, and what ends until the next ones are there', () => {
  expect(slowWindowSize(10, 300, 15)).toBe(11);
  expect(slowWindowSize(100, 300, 15)).toBe(110);
  expect(slowWindowSize(100, 10_000, 100)).toBe(101);
});

const begun = followWindow(undefined, { inFlightBefore: 0, dispatched: 40, atMs: 0 });

test('what left the window tells how fast it drains', () => {
  expect(begun).toEqual({ inFlight: 40, endedPerSecond: 0, left: 0, measuredAtMs: 0 });
  const next = followWindow(begun, { inFlightBefore: 10, dispatched: 30, atMs: 20 });
  expect(next).toEqual({ inFlight: 40, endedPerSecond: 750, left: 0, measuredAtMs: 20 });
});

test('turns that follow each other closely are measured together', () => {
  const second = followWindow(begun, { inFlightBefore: 10, dispatched: 30, atMs: 2 });
  expect(second).toEqual({ inFlight: 40, endedPerSecond: 0, left: 30, measuredAtMs: 0 });
  const third = followWindow(second, { inFlightBefore: 30, dispatched: 0, atMs: 20 });
  expect(third).toMatchObject({ inFlight: 30, endedPerSecond: 1_000, left: 0 });
});

test('jobs that came otherwise never make the rate negative, and an idle queue forgets it', () => {
  let state: WindowState = { inFlight: 10, endedPerSecond: 800, left: 0, measuredAtMs: 0 };
  state = followWindow(state, { inFlightBefore: 30, dispatched: 0, atMs: 100 });
  expect(state).toMatchObject({ inFlight: 30, endedPerSecond: 400 });
  for (let turn = 0; turn < 20; turn += 1)
    state = followWindow(state, { inFlightBefore: 30, dispatched: 0, atMs: state.measuredAtMs + 500 });
  expect(state.endedPerSecond).toBeLessThan(1);
});

test('a wiped engine does not make the window many times as large', () => {
  const full = { inFlight: 300, endedPerSecond: 2_600, left: 0, measuredAtMs: 0 };
  const wiped = followWindow(full, { inFlightBefore: 0, dispatched: 300, atMs: 21 });
  expect(windowSize(20, wiped.endedPerSecond)).toBeLessThan(3.3 * windowSize(20, full.endedPerSecond));
});

test.each([
  ['half of what waits used up already', 40, 1_000, 0],
  ['half of it used up soon', 60, 1_000, 20],
  ['slow handlers', 60, 1, 100],
  ['nothing moves', 60, 0, 100],
])('refills in time: %s', (_name, inFlight, endedPerSecond, ms) => {
  expect(refillInMs({ inFlight, endedPerSecond }, { size: 60, concurrency: 20 })).toBe(ms);
});
