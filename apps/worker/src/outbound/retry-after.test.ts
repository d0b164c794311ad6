import fc from 'fast-check';
import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const now = new Date('2026-01-01T00:00:00Z');

it.each<[string | string[] | undefined, number | undefined]>([
  ['120', 120_000],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ['99999999999', 86_400_000],
  [['5', '7'], 5_000],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads Retry-After %j as %j ms', (header, wait) => {
  expect(retryAfterMs(header, now)).toBe(wait);
});

it('reads any date that HTTP writes, to the second', () => {
  const times = fc.date({ min: now, max: new Date('2026-01-01T23:59:59Z'), noInvalidDate: true });
  fc.assert(
    fc.property(times, (time) => {
      const wait = Math.floor((time.getTime() - now.getTime()) / 1_000) * 1_000;
      expect(retryAfterMs(time.toUTCString(), now)).toBe(wait);
    }),
  );
});

it('answers from nothing to a day, or that there is none, whatever a receiver sends', () => {
  const headers = fc.oneof(fc.string(), fc.stringMatching(/^-?\d{1,400}$/), fc.array(fc.string()));
  fc.assert(
    fc.property(headers, (header) => {
      const wait = retryAfterMs(header, now) ?? 0;
      expect(wait >= 0 && wait <= 86_400_000).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
