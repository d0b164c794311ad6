import { expect, test } from 'vitest';
import { createKeylessPace } from './keyless-pace.ts';

test('an address may have a burst, and then so much a second', () => {
  let now = 0;
  const pace = createKeylessPace({ bytesPerSecond: 1_000, burstBytes: 2_000 }, () => now);
  pace.sent('a', 2_000);
  expect([pace.delayMs('a'), pace.delayMs('b')]).toEqual([0, 0]);
  pace.sent('a', 1_500);
  expect(pace.delayMs('a')).toBe(1_500);
  now += 1_500;
  expect(pace.delayMs('a')).toBe(0);
  now += 60_000;
  pace.sent('a', 2_000);
  expect(pace.delayMs('a')).toBe(0);
});
