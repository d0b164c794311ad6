import { expect, test } from 'vitest';
import { createWritingPace } from './writing-pace.ts';

const bounds = { least: 1_000, most: 50_000 };

test('so much can be written in time as was of late, by all that write at once', () => {
  const pace = createWritingPace(bounds, 2);
  pace.written(100, 10);
  expect(pace.bytesWithin(500)).toBe(10_000);
  for (let write = 0; write < 100; write += 1) pace.written(300, 10);
  expect(pace.bytesWithin(500)).toBeCloseTo(30_000);
});

test('one write that took long counts, and is not all that counts', () => {
  const pace = createWritingPace(bounds, 1);
  for (let write = 0; write < 100; write += 1) pace.written(200, 10);
  pace.written(200, 10_000);
  expect(pace.bytesWithin(1_000)).toBeGreaterThan(15_000);
  expect(pace.bytesWithin(1_000)).toBeLessThan(18_000);
});

test('it is never more than there is room for, nor so little that nothing would be tried again', () => {
  const pace = createWritingPace(bounds, 1);
  expect(pace.bytesWithin(1_000)).toBe(50_000);
  pace.written(1_000_000, 0);
  expect(pace.bytesWithin(1_000)).toBe(50_000);
  for (let write = 0; write < 100; write += 1) pace.written(1, 10_000);
  expect(pace.bytesWithin(1_000)).toBe(1_000);
});
