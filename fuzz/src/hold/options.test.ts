import { expect, test } from 'vitest';
import { parseHoldOptions } from './options.ts';

test('a search has a seed of its time, and as many rounds as it is asked for', () => {
  expect(parseHoldOptions([], 1_700_000_123_456)).toMatchObject({ seed: 123, recipe: undefined });
  expect(parseHoldOptions(['--seed', '7', '--rounds', '40'])).toMatchObject({ seed: 7, rounds: 40 });
  expect(parseHoldOptions(['--recipe', '{"place":"/payload"}']).recipe).toEqual({ place: '/payload' });
});

test.each(['--seed', '--rounds'])('%s x is a mistake that is told', (name) => {
  expect(() => parseHoldOptions([name, 'x'])).toThrow(`${name} is "x"`);
});
