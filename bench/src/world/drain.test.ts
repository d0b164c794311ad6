import { expect, test } from 'vitest';
import { steadyRate } from './drain.ts';

test('the rate counts from when a fifth was done', () => {
  const seen = [
    { at: 0, unfinished: 1_000 },
    { at: 900, unfinished: 990 },
    { at: 1_000, unfinished: 800 },
    { at: 1_500, unfinished: 300 },
    { at: 2_000, unfinished: 0 },
  ];
  expect(steadyRate(seen)).toBe(800);
});

test('what was over at the first look has no rate', () => {
  expect(() => steadyRate([{ at: 0, unfinished: 0 }])).toThrow('too soon');
});
