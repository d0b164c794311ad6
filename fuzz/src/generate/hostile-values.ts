import { RawJson } from './raw-json.ts';

const arrays = (levels: number) => new RawJson('['.repeat(levels) + ']'.repeat(levels));
const objects = (levels: number) => new RawJson(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
const LONG_TEXT = 64 * 1_024;

/**
 * What JSON allows and somebody behind it may trip over: text that Postgres cannot hold, numbers that a double cannot,
 * names that objects have already, nesting around the 64 levels that are taken, and text that means something elsewhere.
 */
export const HOSTILE_VALUES: readonly unknown[] = [
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d"',
    '{"\\u0000":1}',
    '{"\\ud800":1}',
  ].map((text) => new RawJson(text)),
  ...['1e999', '-1e999', '1e-999', '-0', '1E400', '0.1234567890123456789', '3889108265204450030', '1.0'].map(
    (text) => new RawJson(text),
  ),
  new RawJson('9'.repeat(300)),
  new RawJson(`0.${'3'.repeat(2_000)}`),
  new RawJson('{"__proto__":{"admin":true}}'),
  new RawJson('{"constructor":{"prototype":{"admin":true}}}'),
  new RawJson('{"toString":1,"hasOwnProperty":null,"valueOf":{},"then":1,"toJSON":1}'),
  new RawJson('{"a":1,"a":2}'),
  new RawJson('{"":{"":""}}'),
  ...[2, 60, 61, 62, 63, 64, 65, 66, 1_000, 10_000].flatMap((levels) => [arrays(levels), objects(levels)]),
  '\u202Eabc\u202C',
  `e${'\u0301'.repeat(1_000)}`,
  '\u{1F469}\u200D\u{1F469}\u200D\u{1F467}',
  '\uFFFF\uFFFE\uFEFF',
  '\u2028\u2029\u0085\u007F\u001B[31m',
  "'; DROP TABLE jobs; --",
  '%00%s%n{{7*7}}',
  '../../../etc/passwd',
  'a\r\nX-Injected: 1',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'NaN',
  'x'.repeat(LONG_TEXT),
  '\\'.repeat(LONG_TEXT),
  '\u{1F600}'.repeat(LONG_TEXT / 4),
  Array.from({ length: 10_000 }, (_, index) => index),
  Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`field${index}`, null])),
];

/** Names that a field may have by accident or on purpose. */
export const HOSTILE_NAMES: readonly string[] = [
  'extra',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  ' ',
  'a/b~c',
  '\u00E4\u{1F600}',
  '$ref',
  '0',
  'x'.repeat(1_000),
];
