import { expect, test } from 'vitest';
import { z } from 'zod';
import { longestText } from './longest-text.ts';

test.each([
  ['none', z.object({ a: z.string() }), undefined],
  ['one in a list in a union', z.object({ a: z.union([z.int(), z.array(z.string().max(7))]) }), 7],
  ['the longest of several', z.object({ a: z.string().max(7), b: z.string().max(9) }), 9],
])('%s', (_name, schema, length) => {
  expect(longestText(z.toJSONSchema(schema))?.length).toBe(length);
});

test('base64 is told apart, as each of its characters takes one byte', () => {
  expect(longestText(z.toJSONSchema(z.base64().max(8)))).toEqual({ length: 8, isBase64: true });
  expect(longestText(z.toJSONSchema(z.string().max(8)))).toEqual({ length: 8, isBase64: false });
});
