import { expect, test } from 'vitest';
import { z } from 'zod';
import { isQuickSchema } from './quick-schema.ts';

test.each([
  ['the common types', z.object({ n: z.int().min(1), s: z.string().max(9), d: z.iso.date() })],
  ['a UUID', z.uuid()],
  ['a time', z.iso.datetime()],
  ['an address on the web', z.url()],
  ['any JSON', z.json()],
  ['a choice of shapes', z.union([z.object({ a: z.string() }), z.array(z.number())])],
])('%s as zod writes it is quick', (_name, schema) => {
  expect(isQuickSchema(z.toJSONSchema(schema))).toBe(true);
});

test.each([
  ['a pattern that tries everything', { pattern: '^(a+)+$' }, false],
  ['a pattern that begins anew everywhere', { pattern: 'a+$' }, false],
  ['two that share a border', { pattern: '^\\s*(.*)\\s*$' }, false],
  ['one of a name of a field', { patternProperties: { '^(x|x)*$': {} } }, false],
  ['a pattern deep inside', { properties: { a: { items: { pattern: '(b|b)+c' } } } }, false],
  ['a plain pattern', { pattern: '^[a-z]{1,8}-\\d+$' }, true],
  ['one that looks ahead from everywhere', { pattern: '(?=.*a)(?=.*b)' }, false],
  ['one that looks ahead from each character', { pattern: '^(?:(?=.*b)a)*$' }, false],
  ['one that looks behind', { pattern: '^a*(?<=a*b)c' }, false],
  ['one that looks ahead from the start alone', { pattern: '^(?=.*[a-z])(?!.*\\))[!-~]{8,}$' }, true],
  ['all objects of a list with each other', { uniqueItems: true }, false],
  ['a few of them', { uniqueItems: true, maxItems: 20 }, true],
  ['texts of a list', { uniqueItems: true, items: { type: 'string' } }, true],
  ['objects of a list', { uniqueItems: true, items: { type: ['string', 'object'] } }, false],
  ['a schema within itself', { properties: { next: { $ref: '#' } } }, true],
  [
    'one that is there twice for the same value',
    { anyOf: [{ properties: { a: { $ref: '#' } } }, { properties: { a: { $ref: '#' } } }] },
    false,
  ],
  [
    'one beside a reference to it',
    { $ref: '#/$defs/a', properties: { b: { $ref: '#' } }, $defs: { a: {} } },
    false,
  ],
  ['one that is excluded', { not: { items: { $ref: '#' } } }, false],
  ['anything', {}, true],
  ['nothing', false, true],
])('%s', (_name, schema, isQuick) => {
  expect(isQuickSchema(schema)).toBe(isQuick);
});
