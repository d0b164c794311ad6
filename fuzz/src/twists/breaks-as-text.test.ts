import { expect, test } from 'vitest';
import type { SchemaObject } from '../document/schema.ts';
import { breaksAsText } from './breaks-as-text.ts';

const LIMIT: SchemaObject = { type: 'integer', minimum: 1, maximum: 100 };
const NAME: SchemaObject = { type: 'string', minLength: 1, maxLength: 3 };

test.each<[string, SchemaObject, boolean]>([
  ['1', LIMIT, false],
  ['100', LIMIT, false],
  ['0', LIMIT, true],
  ['101', LIMIT, true],
  ['1.5', LIMIT, true],
  ['1.0', LIMIT, false],
  ['many', LIMIT, true],
  ['1e2', LIMIT, false],
  ['', LIMIT, false],
  ['', NAME, true],
  ['abc', NAME, false],
  ['abcd', NAME, true],
  ['\u{1F600}\u{1F600}\u{1F600}', NAME, false],
  ['a', { type: 'string', enum: ['a', 'b'] }, false],
  ['c', { type: 'string', enum: ['a', 'b'] }, true],
  ['b', { type: 'string', const: 'a' }, true],
])('%j breaks %j: %s', (text, schema, breaks) => {
  expect(breaksAsText(text, schema)).toBe(breaks);
});
