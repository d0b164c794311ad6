import { expect, test } from 'vitest';
import { placesOf, withChange } from './places.ts';

const schemas = { Item: { type: 'object', properties: { n: { type: 'integer' } } } };
const schema = {
  type: 'object',
  properties: {
    list: { type: 'array', items: { $ref: '#/components/schemas/Item' } },
    either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
};

test('every place that the schema knows is found, one with alternatives for each of them', () => {
  const places = placesOf({ list: [{ n: 1 }], either: null, extra: 1 }, schema, schemas);
  expect(places.map(({ path, schema: { type } }) => [path.join('/'), type])).toEqual([
    ['', 'object'],
    ['list', 'array'],
    ['list/0', 'object'],
    ['list/0/n', 'integer'],
    ['either', undefined],
    ['either', 'string'],
    ['either', 'null'],
  ]);
});

test('a value is changed at a place, and nowhere else', () => {
  const value = { list: [{ n: 1 }, { n: 2 }] };
  expect(withChange(value, ['list', 1, 'n'], { to: 'x' })).toEqual({ list: [{ n: 1 }, { n: 'x' }] });
  expect(withChange(value, ['list', 0], 'remove')).toEqual({ list: [{ n: 2 }] });
  expect(withChange(value, ['list'], 'remove')).toEqual({});
  expect(withChange(value, [], { to: null })).toBe(null);
  expect(value).toEqual({ list: [{ n: 1 }, { n: 2 }] });
});

test('a field can be called __proto__', () => {
  expect(JSON.stringify(withChange({ a: 1 }, ['__proto__'], { to: 2 }))).toBe('{"a":1,"__proto__":2}');
});
