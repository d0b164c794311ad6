import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonText, stringifyWithTexts } from './json-text.ts';

test('a text stands in what is written as it is, wherever it is', () => {
  const value = { id: 1, payload: new JsonText('{ "n": 1.0 }'), list: [new JsonText('[]'), 'x'] };
  expect(stringifyWithTexts(value)).toBe('{"id":1,"payload":{ "n": 1.0 },"list":[[],"x"]}');
});

test('whoever writes it without knowing of it writes what it means, digit by digit', () => {
  expect(JSON.stringify({ payload: new JsonText('{ "n": 3889108265204450030 }') })).toBe(
    '{"payload":{"n":3889108265204450030}}',
  );
});

test('a value is the same with its parts as texts', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (one, other, beside) => {
      const text = (value: unknown) => new JsonText(JSON.stringify(value));
      const written = stringifyWithTexts({ one: text(one), beside, deep: [{ other: text(other) }] });
      expect(written).toBe(JSON.stringify({ one, beside, deep: [{ other }] }));
    }),
  );
});

test('a value that cannot be written leaves nothing behind', () => {
  const loop: { text: JsonText; self?: unknown } = { text: new JsonText('1') };
  loop.self = loop;
  expect(() => stringifyWithTexts(loop)).toThrow(TypeError);
  expect(JSON.stringify(new JsonText('[1]'))).toBe('[1]');
  expect(stringifyWithTexts({})).toBe('{}');
});
