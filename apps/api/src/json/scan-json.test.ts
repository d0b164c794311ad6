import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findTooDeep, mayHoldFaults, scanJson } from './scan-json.ts';

const pointersOf = (text: string) => scanJson(JSON.parse(text)).map((fault) => fault.pointer);

test.each([
  ['U+0000 in text', '{"a":["x","\\u0000"]}', ['/a/1']],
  ['U+0000 in a name', '{"a\\u0000":1}', ['/a\u0000']],
  ['a lone surrogate', '{"a":"\\ud800"}', ['/a']],
  ['a pair of surrogates', '{"a":"\\ud83d\\ude00"}', []],
  ['an overflowing number', '{"a":1e999,"b":-1e999,"c":1e308}', ['/a', '/b']],
  ['__proto__', '{"a":{"__proto__":{"x":1}}}', ['/a/__proto__']],
  ['constructor.prototype', '{"constructor":{"prototype":{}}}', ['/constructor']],
  ['a plain field named constructor', '{"constructor":"Ada"}', []],
  ['names that need escaping', '{"a/b":{"m~n":"\\u0000"}}', ['/a~1b/m~0n']],
  ['several at once', '{"a":"\\u0000","b":1e999}', ['/a', '/b']],
  ['a number of very many digits', `{"a":${'9'.repeat(320)},"b":${'9'.repeat(280)}e99}`, ['/a', '/b']],
])('%s', (_name, text, pointers) => {
  expect(pointersOf(text)).toEqual(pointers);
  if (pointers.length > 0) expect(mayHoldFaults(text)).toBe(true);
});

test('what most people send is cleared without a scan', () => {
  expect(mayHoldFaults('{"to":"zoë@example.com","text":"line\\n \\"two\\"","amount":-12.5e3}')).toBe(false);
});

test('64 levels are allowed, 65 are not', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  expect(findTooDeep(JSON.parse(nested(64)))).toBeUndefined();
  expect(findTooDeep(JSON.parse(nested(65)))?.pointer).toBe('/0'.repeat(64));
  expect(findTooDeep(JSON.parse(nested(500_000)))?.pointer).toBe('/0'.repeat(64));
});

test('a body full of faults is not answered with a list as long', () => {
  expect(scanJson(Array.from({ length: 10_000 }, () => '\u0000'))).toHaveLength(50);
});

/** Text of any UTF-16 code units, with what is to be refused often among them. */
const anyText = fc
  .array(fc.oneof(fc.constantFrom(0, 0xd800, 0xdfff), fc.integer({ min: 0, max: 0xffff })), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));

test('text is refused exactly when PostgreSQL could not store it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const storable = text.isWellFormed() && !text.includes('\u0000');
      expect(scanJson({ list: [text] }).length === 0).toBe(storable);
      expect(scanJson({ [`k${text}`]: 1 }).length === 0).toBe(storable);
      if (!storable) expect(mayHoldFaults(JSON.stringify({ [`k${text}`]: [text] }))).toBe(true);
    }),
  );
});
