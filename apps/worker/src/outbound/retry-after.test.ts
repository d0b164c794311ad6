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
