import { expect, test } from 'vitest';
import { evenArrivals } from './arrivals.ts';

test('requests are spaced evenly over the whole time', () => {
  const arrivals = evenArrivals({ perSecond: 500, seconds: 2 });
  expect(arrivals.count).toBe(1_000);
  expect(arrivals.dueMs(0)).toBe(0);
  expect(arrivals.dueMs(999)).toBe(1_998);
});

test('a request is due from its time on, however late somebody asks', () => {
  const arrivals = evenArrivals({ perSecond: 100, seconds: 1 });
  expect(arrivals.dueBy(-1)).toBe(0);
  expect(arrivals.dueBy(0)).toBe(1);
  expect(arrivals.dueBy(9.9)).toBe(1);
  expect(arrivals.dueBy(10)).toBe(2);
  expect(arrivals.dueBy(60_000)).toBe(100);
});
