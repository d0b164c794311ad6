import { expect, test } from 'vitest';
import { connectionsFor, divide, GROUPS } from './pool-sizes.ts';

test.each([5, 7, 9, 10, 15, 16, 20, 200])(
  'of %d connections each group has one at least, and all of them are given out',
  (connections) => {
    const sizes = divide(connections);
    expect(Math.min(...GROUPS.map((group) => sizes[group]))).toBeGreaterThanOrEqual(1);
    expect(Object.values(sizes).reduce((sum, size) => sum + size)).toBe(connections);
  },
);

test.each([
  [2, 2, 20],
  [16, 1, 33],
  [32, 2, 33],
  [32, 4, 20],
  [64, 1, 40],
])('of a server with %d cores one of %d processes has %d connections', (cores, processes, connections) => {
  expect(connectionsFor(cores, processes)).toBe(connections);
});

test('most of many are for what clients wait for most', () => {
  expect(divide(20)).toEqual({ submit: 6, read: 7, admin: 3, admission: 3, health: 1 });
  expect(divide(5)).toEqual({ submit: 1, read: 1, admin: 1, admission: 1, health: 1 });
});
