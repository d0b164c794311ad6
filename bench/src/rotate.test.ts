import { expect, test } from 'vitest';
import { rotate } from './rotate.ts';

test('each round begins with the next contender, and has them all', () => {
  const items = ['a', 'b', 'c'];
  expect(rotate(items, 1)).toEqual(['a', 'b', 'c']);
  expect(rotate(items, 2)).toEqual(['b', 'c', 'a']);
  expect(rotate(items, 4)).toEqual(['a', 'b', 'c']);
  expect(rotate([], 3)).toEqual([]);
});
