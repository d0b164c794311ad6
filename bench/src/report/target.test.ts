import { expect, test } from 'vitest';
import { isReached, ratiosOf, type Target } from './target.ts';

const target = (median: number, wanted: Target['wanted']): Target => ({
  name: 'x',
  measured: { median, min: 0, max: 100 },
  bound: 2,
  wanted,
  unit: '×',
});

test.each([
  [2, 'at least', true],
  [1.99, 'at least', false],
  [2, 'at most', true],
  [2.01, 'at most', false],
] as const)('a median of %d with %s 2 is reached: %s', (median, wanted, reached) => {
  expect(isReached(target(median, wanted))).toBe(reached);
});

test('ratios are taken round by round', () => {
  const ours = new Map([
    [1, 100],
    [2, 10],
    [3, 30],
  ]);
  const theirs = new Map([
    [1, 50],
    [2, 5],
    [3, 10],
  ]);
  expect(ratiosOf(ours, theirs)).toEqual({ median: 2, min: 2, max: 3 });
});

test('a round that the other has not is left out, and none at all is an error', () => {
  expect(ratiosOf(new Map([[1, 4]]), new Map([[1, 2]])).median).toBe(2);
  expect(() => ratiosOf(new Map([[1, 4]]), new Map([[2, 2]]))).toThrow();
});
