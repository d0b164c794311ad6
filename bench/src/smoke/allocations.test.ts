import { expect, test } from 'vitest';
import { allocatedBytes } from './allocations.ts';

test('without a collection, what was allocated is what the heap grew by', () => {
  expect(allocatedBytes(100, [], 130)).toBe(30);
});

test('what collections gave back was allocated all the same', () => {
  const collections = [
    { usedBefore: 150, usedAfter: 90 },
    { usedBefore: 200, usedAfter: 110 },
  ];

  expect(allocatedBytes(100, collections, 120)).toBe(50 + 110 + 10);
});
