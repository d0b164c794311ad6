import { expect, test } from 'vitest';
import { ALL_PARTS } from './all-parts.ts';
import { parseOverloadOptions } from './options.ts';

test('a run without options is a look at all parts, beside others', () => {
  const { size, parts, withOthers } = parseOverloadOptions([]);
  expect([size, parts, withOthers]).toEqual(['small', ALL_PARTS, true]);
});

test('parts are chosen by name, and run in their own order', () => {
  const { parts } = parseOverloadOptions(['--only', 'priorities,workers']);
  expect(parts.map(({ name }) => name)).toEqual(['workers', 'priorities']);
});

test('what is not known is named', () => {
  expect(() => parseOverloadOptions(['--only', 'workers,nothing'])).toThrow('--only has "nothing"');
  expect(() => parseOverloadOptions(['--size', 'huge'])).toThrow('--size is "huge"');
  expect(() => parseOverloadOptions(['--minutes', '0'])).toThrow('--minutes is "0"');
});
