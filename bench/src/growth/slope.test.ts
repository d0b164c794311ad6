import { expect, test } from 'vitest';
import { fitSlope } from './slope.ts';

const MINUTE_MS = 60_000;

test('a value that grows by one a minute grows by 60 an hour, and that for certain', () => {
  const samples = [0, 1, 2, 3].map((minute) => ({ atMs: 1e12 + minute * MINUTE_MS, value: 100 + minute }));

  const slope = fitSlope(samples);

  expect(slope?.perHour).toBeCloseTo(60, 3);
  expect(slope?.standardErrorPerHour).toBeCloseTo(0, 3);
});

test('values that go up and down grow by nothing, with a doubt', () => {
  const samples = [5, 9, 5, 9, 5].map((value, minute) => ({ atMs: minute * MINUTE_MS, value }));

  expect(fitSlope(samples)?.perHour).toBeCloseTo(0, 9);
  expect(fitSlope(samples)?.standardErrorPerHour).toBeGreaterThan(30);
});

test('two samples say nothing about growth', () => {
  const samples = [0, 1].map((minute) => ({ atMs: minute * MINUTE_MS, value: minute }));

  expect(fitSlope(samples)).toBeUndefined();
});
