import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Backoff, backoffDelayMs } from './backoff.ts';

describe('backoffDelayMs', () => {
  test('full jitter spreads from nothing up to the wait, and never beyond the maximum', () => {
    const backoff: Backoff = { type: 'exponential', delayMs: 100, maxMs: 5_000, jitter: 'full' };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (attempts, random) => {
          const delay = backoffDelayMs(backoff, attempts, random);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(5_000, 100 * 2 ** (attempts - 1)));
        },
      ),
    );
    expect(backoffDelayMs(backoff, 1, 0)).toBe(0);
    expect(backoffDelayMs(backoff, 1, 0.999)).toBe(100);
  });

  test('equal jitter keeps half of the wait', () => {
    const backoff: Backoff = { type: 'fixed', delayMs: 1_000, jitter: 'equal' };
    expect(backoffDelayMs(backoff, 1, 0)).toBe(500);
    expect(backoffDelayMs(backoff, 1, 0.5)).toBe(750);
  });

  test('a schedule gives its waits in order and repeats the last', () => {
    const backoff: Backoff = { type: 'schedule', delaysMs: [5, 60, 300], jitter: 'none' };
    expect([1, 2, 3, 4, 9].map((made) => backoffDelayMs(backoff, made, 0))).toEqual([5, 60, 300, 300, 300]);
  });
});
