import { expect, test } from 'vitest';
import { countBySecond, isRefusal, percentileOrNone, percentOf, ratePerSecond } from './figures.ts';

test('only what is documented for too much is a refusal', () => {
  expect(isRefusal({ status: 503, code: 'queue_backlog_full' })).toBe(true);
  expect(isRefusal({ status: 429, code: 'rate_limited' })).toBe(true);
  expect(isRefusal({ status: 503, code: 'database_unavailable' })).toBe(false);
  expect(isRefusal({ status: 503 })).toBe(false);
  expect(isRefusal({ status: 500, code: 'overloaded' })).toBe(false);
});

test('moments are counted in the second that they fall into, and in no other', () => {
  expect(countBySecond([999, 1_000, 1_999, 2_000, 4_000], 1_000, 3)).toEqual([2, 1, 0]);
});

test('a rate is of the stretch alone', () => {
  expect(ratePerSecond([0, 500, 1_000, 1_500], 500, 1_500)).toBe(2);
});

test('nothing has no percentile and is no part', () => {
  expect([percentileOrNone([], 0.99), percentOf(0, 0)]).toEqual([0, 0]);
});
