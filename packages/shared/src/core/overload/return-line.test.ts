import { expect, test } from 'vitest';
import { createReturnLine } from './return-line.ts';

test('those who are refused together come back one after the other, as fast as others are let in', () => {
  const line = createReturnLine();
  const returns = Array.from({ length: 100 }, () => line.nextInMs(5_000, 20));
  const apart = returns.map((at, place) => at - (returns[place - 1] ?? 0));
  expect(apart.every((ms) => Math.abs(ms - 50) < 1e-6)).toBe(true);
});

test('nobody before it opens, and those who have gone hold up nobody', () => {
  const line = createReturnLine();
  expect(line.nextInMs(0, 10, 3_000)).toBe(3_100);
  for (let refused = 0; refused < 50; refused += 1) line.nextInMs(0, 10);
  expect(line.nextInMs(60_000, 10)).toBe(100);
});

test('a line that stood while few were let in is as short as it turns out to be', () => {
  const line = createReturnLine();
  for (let refused = 0; refused < 100; refused += 1) line.nextInMs(0, 1);
  expect(line.nextInMs(10, 1_000)).toBeLessThan(100);
});

test('nobody for longer than is said', () => {
  const line = createReturnLine(10_000);
  expect(line.nextInMs(0, 0)).toBe(10_000);
  for (let refused = 0; refused < 1_000; refused += 1) line.nextInMs(0, 1);
  expect(line.nextInMs(0, 1)).toBe(10_000);
  expect(line.nextInMs(5_000, 1)).toBeLessThanOrEqual(6_000);
});
