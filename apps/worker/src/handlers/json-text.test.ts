import { runInNewContext } from 'node:vm';
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

/** As query builders and other libraries have it. */
const withThen = (then: unknown) => Object.fromEntries([['then', then]]);

class Order {
  cents: number;
  #secret = 1;
  constructor(cents: number) {
    this.cents = cents + this.#secret - 1;
  }
  get euros() {
    return this.cents / 100;
  }
}

class Secretive {
  #secret = 1;
  reveal() {
    return this.#secret;
  }
}

const shared = { a: { a: [] } };
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
    [{ s: Symbol('s'), m() {} }, '{}'],
    [[undefined, ...new Array(1), -0], '[null,null,0]'],
    [Object.create(null, { a: { value: 1, enumerable: true } }), '{"a":1}'],
    [new Order(3), '{"cents":3}'],
    [runInNewContext('({ a: [{}] })'), '{"a":[{}]}'],
    [new URL('http://a.example'), '"http://a.example/"'],
    [{ toJSON: () => ({ shown: true }) }, '{"shown":true}'],
    [Object.assign(new Error('no'), { toJSON: () => 'no' }), '"no"'],
    [Buffer.from('a'), '{"type":"Buffer","data":[97]}'],
    [[Object(1), Object('a'), Object(false)], '[1,"a",false]'],
    [withThen('later'), '{"then":"later"}'],
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

  it.each<[string, unknown, string, string]>([
    ['a Map', { rows: [{ 'a/b~': new Map([[1, 2]]) }] }, '/rows/0/a~1b~0', 'a Map'],
    ['a bare Map', new Map(), 'the whole', 'a Map'],
    ['a Set with a property', { tags: Object.assign(new Set(), { a: 1 }) }, '/tags', 'a Set'],
    ['a WeakMap', [1, new WeakMap()], '/1', 'a WeakMap'],
    ['a promise', { total: Promise.resolve(3) }, '/total', 'a promise'],
    ['a bare promise in a list', [Promise.resolve(3)], '/0', 'a promise'],
    ['a thenable', { rows: withThen(() => undefined) }, '/rows', 'a promise'],
    ['NaN', { a: { b: Number.NaN } }, '/a/b', 'NaN'],
    ['Infinity', [Number.NEGATIVE_INFINITY], '/0', '-Infinity'],
    ['NaN in a box', [Object(Number.NaN)], '/0', 'NaN'],
    ['an invalid date', { at: new Date('no') }, '/at', 'an invalid date'],
    ['an Error', { reason: Object.assign(new TypeError('no'), { code: 'E' }) }, '/reason', 'an Error'],
    ['an Error of another realm', runInNewContext('({ e: new Error("no") })'), '/e', 'an Error'],
    ['a Map of another realm', runInNewContext('({ m: new Map() })'), '/m', 'a Map'],
    ['a RegExp', [[/a/]], '/0/0', 'a RegExp'],
    ['a typed array', { bytes: new Uint8Array(2) }, '/bytes', 'a typed array'],
    ['an ArrayBuffer', { bytes: new ArrayBuffer(2) }, '/bytes', 'an ArrayBuffer'],
    ['a function in a list', { list: [1, () => 1] }, '/list/1', 'a function'],
    ['a symbol in a list', [Symbol('s')], '/0', 'a symbol'],
    ['headers', { headers: new Headers({ a: 'b' }) }, '/headers', 'an object of Headers'],
    ['an iterator', { ids: [1].values() }, '/ids', 'an object'],
    ['private fields alone', new Secretive(), 'the whole', 'an object of Secretive'],
    ['what toJSON gives', { a: { toJSON: () => [new Map()] } }, '/a/0', 'a Map'],
    ['what stands twice', [shared, { a: shared, b: [shared, new Set()] }], '/1/b/1', 'a Set'],
  ])('refuses %s, which JSON would change, and says where', (_name, value, where, what) => {
    expect(() => jsonText(value, MIB)).toThrow(`${where}: JSON does not hold ${what}`);
    expect(faultOf(value)).toBe('changed');
  });

  it('says where a BigInt and text are that cannot be stored', () => {
    expect(() => jsonText({ a: [1n] }, MIB)).toThrow('/a/0: a BigInt');
    expect(() => jsonText({ a: { b: 'x\0' } }, MIB)).toThrow('/a/b: text with \\u0000');
  });

  it('refuses 50 MB without building its text', () => {
    const value = { rows: Array.from({ length: 50 }, () => 'x'.repeat(MIB)) };
    const before = process.memoryUsage().rss;
    expect(faultOf(value)).toBe('too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * MIB);
  });
});
