import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Problem } from '../http/problem.ts';
import { parseJson } from './parse-json.ts';

function faultOf(body: string | Buffer): string | undefined {
  try {
    parseJson(Buffer.from(body));
  } catch (error) {
    if (error instanceof Problem && error.code === 'malformed_json') return error.errors?.[0]?.detail;
    throw error;
  }
  return undefined;
}

test.each([
  ['{"a":}', 'line 1, column 6'],
  ['{"a": 1,\n "b" 2}', 'line 2, column 6'],
  ['%', 'line 1, column 1'],
  ['{"a": 1', 'line 1, column 8'],
  ['{} {}', 'line 1, column 4'],
  ["{'a': 1}", 'line 1, column 2'],
  ['{"a": NaN}', 'line 1, column 7'],
  ['[1,]', 'line 1, column 4'],
  ['// no\n{}', 'line 1, column 1'],
  [Buffer.from([0x22, 0xff, 0x22]), 'UTF-8'],
  ['['.repeat(500_000), 'nested too deeply'],
])('%s is refused with its place', (body, place) => {
  expect(faultOf(body)).toContain(place);
});

test('an empty body is no body', () => {
  expect(parseJson(Buffer.alloc(0)).value).toBeUndefined();
});

test('any JSON value comes back, and any other text is refused with a problem', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseJson(Buffer.from(JSON.stringify(value))).value).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text !== '' && !isJson(text));
      expect(faultOf(text)).toBeTypeOf('string');
    }),
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
