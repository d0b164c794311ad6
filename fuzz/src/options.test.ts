import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

test('a run is small, of all operations, and has a seed of its time', () => {
  expect(parseOptions([], 1_700_000_123_456)).toEqual({
    size: 'small',
    requests: 1_500,
    seed: 123,
    only: [],
    json: undefined,
  });
});

test('a standard run has 10,000 requests at least', () => {
  const options = parseOptions(['--size', 'standard', '--seed', '7', '--only', 'getJob,submitJob']);
  expect(options).toMatchObject({ size: 'standard', seed: 7, only: ['getJob', 'submitJob'] });
  expect(options.requests).toBeGreaterThanOrEqual(10_000);
});

test.each([
  [['--size', 'large'], /--size is "large"/],
  [['--seed', 'x'], /--seed is "x"/],
])('%j is a mistake that is told', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
