import { expect, test } from 'vitest';
import { limitHeader, policyHeader, quotaPolicy, ratePolicy, secondsToMidnight } from './rate-policies.ts';

const now = new Date('2026-11-30T23:59:30.500Z');

test.each([
  [{ perSecond: 100, burst: null }, '"tenant";q=100;w=1'],
  [{ perSecond: 100, burst: 500 }, '"tenant";q=500;w=5'],
  [{ perSecond: 0.5, burst: null }, '"tenant";q=1;w=2'],
  [{ perSecond: 2.5, burst: null }, '"tenant";q=3;w=2'],
])('%o is told as %s', (rate, header) => {
  expect(policyHeader([ratePolicy('tenant', 'a', rate)])).toBe(header);
});

test('what is left is told with the time until all of it is there again', () => {
  const policies = [
    ratePolicy('key', 'k', { perSecond: 10, burst: 100 }),
    ratePolicy('tenant', 't', { perSecond: 100, burst: null }),
    quotaPolicy('t', 1_000, now),
  ];
  expect(limitHeader(policies, ({ capacity }) => capacity / 2, now)).toBe(
    '"key";r=50;t=5, "tenant";r=50;t=1, "daily";r=500;t=30',
  );
});

test('each day of UTC has a quota of its own', () => {
  const name = (time: string) => quotaPolicy('t', 5, new Date(time)).bucket.name;
  expect(name('2026-11-30T23:59:59.999Z')).not.toBe(name('2026-12-01T00:00:00.000Z'));
  expect(name('2026-11-30T00:00:00.000Z')).toBe(name('2026-11-30T23:59:59.999Z'));
  expect(secondsToMidnight(new Date('2026-12-01T00:00:00.000Z'))).toBe(86_400);
});
