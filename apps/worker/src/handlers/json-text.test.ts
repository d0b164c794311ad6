import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText, UnstorableValueError } from './json-text.ts';

const MIB = 2 ** 20;

function faultOf(value: unknown, maxBytes = MIB): string {
  try {
    jsonText(value, maxBytes);
  } catch (error) {
    if (error instanceof UnstorableValueError) return error.fault;
    throw error;
  }
  return 'none';
}

const cyclic: Record<string, unknown> = { list: [] };
cyclic.list = [cyclic];
const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], null);

describe('jsonText', () => {
  it('writes what JSON.stringify writes, and counts its bytes exactly', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        if (/\\u0000|\\ud/i.test(JSON.stringify(value))) return;
        const expected = JSON.stringify(value);
        const size = Buffer.byteLength(expected);
        expect(jsonText(value, size)).toBe(expected);
        expect(faultOf(value, size - 1)).toBe('too_large');
      }),
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'null'],
    [{ a: undefined, f: () => 1, at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [[undefined, Number.NaN, () => 1], '[null,null,null]'],
    ['a \\u0000 spelled out', '"a \\\\u0000 spelled out"'],
    ['😀', '"😀"'],
  ])('writes %j', (value, text) => {
    expect(jsonText(value, 100)).toBe(text);
  });

  it.each<[string, unknown, string]>([
    ['a cycle', cyclic, 'not_serializable'],
    ['a BigInt', { n: 1n }, 'not_serializable'],
    ['a function', () => 1, 'not_serializable'],
    ['a symbol', Symbol('s'), 'not_serializable'],
    ['a depth beyond the stack', deep, 'not_serializable'],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      'not_serializable',
    ],
    [
      'a getter that throws a non-error',
      {
        get a() {
          throw 'no';
        },
      },
      'not_serializable',
    ],
    ['a NUL in text', ['a\0b'], 'unstorable_text'],
    ['a NUL in a name', { 'a\0b': 1 }, 'unstorable_text'],
    ['half of a surrogate pair', '\ud83d', 'unstorable_text'],
    ['a text of 50 MB', 'x'.repeat(50 * MIB), 'too_large'],
    ['a buffer of 50 MB', { file: Buffer.alloc(50 * MIB) }, 'too_large'],
    ['a bare buffer of 50 MB', Buffer.alloc(50 * MIB), 'too_large'],
    ['a long list with holes', new Array(50_000_000), 'too_large'],
    ['characters of several bytes', 'ü'.repeat(0.9 * MIB), 'too_large'],
  ])('refuses %s', (_name, value, fault) => {
    expect(faultOf(value)).toBe(fault);
  });

  it('refuses 50 MB without building its text', () => {
    const value = { rows: Array.from({ length: 50 }, () => 'x'.repeat(MIB)) };
    const before = process.memoryUsage().rss;
    expect(faultOf(value)).toBe('too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * MIB);
  });
});
