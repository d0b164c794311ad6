import { expect, test } from 'vitest';
import { comparesWithMany } from './checks-per-value.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const words = (count: number) => numbers(count).map((n) => `word ${n}`);
const kinds = (count: number) =>
  numbers(count).map((n) => ({ type: 'object', properties: { kind: { const: n } }, required: ['kind'] }));
const patterned = (count: number) =>
  kinds(count).map((kind) => ({ properties: { ...kind.properties, text: { pattern: '^[a-z]+$' } } }));

test.each([
  ['anything', {}, false],
  ['nothing', false, false],
  ['a choice of many words, once', { properties: { country: { enum: words(249) } } }, false],
  ['a choice of a few words in a list', { items: { enum: words(20) } }, false],
  ['a choice of many words in a list', { items: { enum: words(249) } }, true],
  ['the same in an object of any names', { additionalProperties: { enum: words(249) } }, true],
  ['many shapes, once', { anyOf: kinds(200) }, false],
  ['a few shapes in a list', { items: { oneOf: kinds(8) } }, false],
  ['many shapes in a list', { items: { anyOf: kinds(200) } }, true],
  ['a few shapes of a few shapes', { items: { anyOf: numbers(6).map(() => ({ oneOf: kinds(6) })) } }, true],
  [
    'lists that all are looked into',
    { anyOf: numbers(30).map((n) => ({ items: { not: { const: n } } })) },
    true,
  ],
  ['a text by many patterns', { anyOf: patterned(200) }, true],
  ['a text by a few patterns', { items: { anyOf: patterned(4) } }, false],
  [
    'many texts, each by its pattern',
    { properties: Object.fromEntries(words(100).map((word) => [word, { format: 'date' }])) },
    false,
  ],
  ['by a reference', { items: { $ref: '#/$defs/kind' }, $defs: { kind: { anyOf: kinds(200) } } }, true],
  [
    'many patterns of names',
    { patternProperties: Object.fromEntries(words(50).map((word) => [word, {}])) },
    true,
  ],
  ['large values to choose from', { items: { enum: kinds(20) } }, true],
  ['a schema within itself', { properties: { next: { $ref: '#' } }, anyOf: [{ $ref: '#' }] }, false],
  [
    'many words in a schema within itself',
    { type: 'object', properties: { word: { enum: words(249) }, below: { items: { $ref: '#' } } } },
    true,
  ],
  ['one with many fields', { properties: Object.fromEntries(words(100).map((word) => [word, {}])) }, false],
])('%s', (_name, schema, expected) => {
  expect(comparesWithMany(schema)).toBe(expected);
});
