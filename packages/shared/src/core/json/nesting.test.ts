import { expect, test } from 'vitest';
import { parseExactly } from './exact-numbers.ts';
import { MAX_DEPTH, pathTooDeep } from './nesting.ts';

const nested = (levels: number, core = '') => `${'['.repeat(levels)}${core}${']'.repeat(levels)}`;

test('what is nested one level too deep is found, and of any depth no more is looked at', () => {
  expect(pathTooDeep(JSON.parse(nested(MAX_DEPTH)))).toBeUndefined();
  const path = Array.from({ length: MAX_DEPTH }, () => '0');
  expect(pathTooDeep(JSON.parse(nested(MAX_DEPTH + 1)))).toEqual(path);
  expect(pathTooDeep(JSON.parse(nested(500_000)))).toEqual(path);
});

test('a number that was kept as it is written is no level', () => {
  expect(pathTooDeep(parseExactly(nested(MAX_DEPTH, '3889108265204450030')))).toBeUndefined();
});
