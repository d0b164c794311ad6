import { expect, test } from 'vitest';
import { edgeValues } from './edge-values.ts';
import { RawJson, writeJson } from './raw-json.ts';

const lengths = (values: unknown[]) =>
  values
    .filter((value) => typeof value === 'string' && /^x+$/.test(value))
    .map((value) => String(value).length);

test('a text is as short and as long as it may be, and one character shorter and longer', () => {
  expect(lengths(edgeValues({ type: 'string', minLength: 3, maxLength: 8 }))).toEqual([2, 3, 7, 8, 9]);
});

test('a number is at its bounds, within and beyond, also as text and beyond what a double holds', () => {
  const values = edgeValues({ type: 'integer', minimum: 1, maximum: 100 });
  expect(values).toEqual(expect.arrayContaining([0, 0.5, 1, 2, 99, 100, 100.5, 101, '101']));
  expect(values.filter((value) => value instanceof RawJson).map(({ text }) => text)).toContain('1e999');
});

test('a list has as few and as many items as it may, one more, and the same item again', () => {
  const values = edgeValues({ type: 'array', minItems: 1, maxItems: 2, uniqueItems: true });
  expect(values).toEqual(
    expect.arrayContaining([[], ['item0'], ['item0', 'item1', 'item2'], ['same', 'same']]),
  );
});

test('values of every other type are there', () => {
  expect(edgeValues({ type: 'boolean' })).toEqual(expect.arrayContaining([null, 0, 'true', [], {}]));
});

test('JSON that is no value of JavaScript is written as it is', () => {
  const deep = new RawJson('['.repeat(10_000) + ']'.repeat(10_000));
  expect(writeJson({ a: new RawJson('1e999'), b: ['$&', new RawJson('{"a":1,"a":2}')] })).toBe(
    '{"a":1e999,"b":["$&",{"a":1,"a":2}]}',
  );
  expect(writeJson({ deep })).toHaveLength(20_009);
});
