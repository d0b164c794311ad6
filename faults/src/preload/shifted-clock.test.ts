import { afterEach, expect, test } from 'vitest';
import { shiftClock } from './shifted-clock.ts';

afterEach(() => shiftClock(0));

test('a shifted clock is off by that much, and right again when it is shifted back', () => {
  const real = Date;
  const before = Date.now();

  shiftClock(-600_000);
  expect(Date.now()).toBeLessThan(before - 590_000);
  const now = new Date();
  expect(now.getTime()).toBeLessThan(before - 590_000);
  shiftClock(0);

  expect(Date).toBe(real);
  expect(Date.now()).toBeGreaterThanOrEqual(before);
});

test('given times are not shifted, and dates of before are dates still', () => {
  const before = new Date(0);

  shiftClock(600_000);

  expect(new Date('2026-01-02T03:04:05Z').toISOString()).toBe('2026-01-02T03:04:05.000Z');
  expect(new Date(5).getTime()).toBe(5);
  expect(before instanceof Date).toBe(true);
});
