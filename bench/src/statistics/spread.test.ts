import { expect, test } from 'vitest';
import { percentile, spreadOf } from './spread.ts';

test('the median lies in the middle, and between the middle two of an even number', () => {
  expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 });
});

test('a percentile is a value that occurred, by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile([5, 1], 0.99)).toBe(5);
  expect(percentile([5, 1], 0)).toBe(1);
});

test('nothing has no figures', () => {
  expect(() => spreadOf([])).toThrow('nothing to sum up');
  expect(() => percentile([], 0.5)).toThrow('no percentile of nothing');
});
