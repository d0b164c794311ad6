import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Backoff, type BackoffRequest, backoffDelayMs, completeBackoff } from './backoff.ts';

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

describe('completeBackoff', () => {
  test.each<[BackoffRequest, Backoff]>([
    [{ type: 'exponential' }, { type: 'exponential', delayMs: 1_000, maxMs: 600_000, jitter: 'full' }],
    [
      { type: 'exponential', delayMs: 5, jitter: 'none' },
      { type: 'exponential', delayMs: 5, maxMs: 600_000, jitter: 'none' },
    ],
    [
      { type: 'fixed', delayMs: 5 },
      { type: 'fixed', delayMs: 5, jitter: 'full' },
    ],
    [
      { type: 'schedule', delaysMs: [5], jitter: 'equal' },
      { type: 'schedule', delaysMs: [5], jitter: 'equal' },
    ],
  ])('fills in what %j leaves out', (backoff, complete) => {
    expect(completeBackoff(backoff)).toEqual(complete);
  });
});
