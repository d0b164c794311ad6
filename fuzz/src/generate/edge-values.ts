import { type SchemaObject, typesOf } from '../document/schema.ts';
import { RawJson } from './raw-json.ts';

/** Longer than this a text only costs time. */
const MAX_LENGTH = 100_000;

/** What is of another type, whatever the right one is. */
export const OF_ANY_TYPE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  '',
  '0',
  'true',
  [],
  {},
  [[]],
  [null],
];

const ODD_TIMES = [
  '2999-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '0000-01-01T00:00:00+23:59',
  '9999-12-31T23:59:59-23:59',
  '2026-02-30T00:00:00Z',
  '2028-12-31T23:59:60Z',
  '2026-12-01T24:00:00Z',
  '2026-12-01t00:00:00z',
  '2026-12-01 00:00:00Z',
  '2026-12-01T00:00:00',
  '2026-12-01',
  '2026-12-01T00:00:00.12345678901234567890Z',
  '+12026-12-01T00:00:00Z',
  '-000001-12-01T00:00:00Z',
  'tomorrow',
  '1764000000',
];

const ODD_URLS = [
  'http://127.0.0.1:1/',
  'http://[::1]:1/',
  'http://a:b@127.0.0.1/',
  'http://x..y/',
  `http://${'a'.repeat(64)}.invalid/`,
  'http://127.0.0.1:99999/',
  'http://127.0.0.1:1/\u00E4\u{1F600}?q=\u00FC#f',
  'http://127.0.0.1:1/ a b',
  'http://127.0.0.1:1/%',
  'HTTP://LOCALHOST.INVALID',
  'http:/127.0.0.1',
  '//127.0.0.1/',
  '/relative',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'http://',
  'http://\u00E4\u00F6.invalid/',
];

const ODD_TEXTS: Record<string, readonly string[]> = {
  'date-time': ODD_TIMES,
  uri: ODD_URLS,
  'uri-reference': ODD_URLS,
};

/** Lists values at the bounds of a resolved schema, right beyond them, and of other types. */
export function edgeValues(schema: SchemaObject, name = ''): unknown[] {
  const values = [...enumEdges(schema), ...OF_ANY_TYPE];
  const types = typesOf(schema);
  if (types.includes('string')) values.push(...textEdges(schema, name));
  if (types.includes('integer') || types.includes('number')) values.push(...numberEdges(schema));
  if (types.includes('array')) values.push(...arrayEdges(schema));
  return values;
}

function enumEdges(schema: SchemaObject): unknown[] {
  const values = Object.hasOwn(schema, 'const') ? [schema.const] : (schema.enum ?? []);
  const texts = values.filter((value) => typeof value === 'string');
  return texts.flatMap((text) => [text, text.toUpperCase(), `${text} `, text.slice(1), `${text}\u0301`]);
}

function textEdges({ minLength = 0, maxLength, format = '' }: SchemaObject, name: string): unknown[] {
  const lengths = [
    minLength - 1,
    minLength,
    ...(maxLength === undefined ? [1_000] : [maxLength - 1, maxLength, maxLength + 1]),
  ];
  const sane = lengths.filter((length) => length >= 0 && length <= MAX_LENGTH);
  // JSON Schema counts code points, JavaScript half of one that is beyond the basic plane.
  const byLength = sane.flatMap((length) => [
    'x'.repeat(length),
    '\u{1F600}'.repeat(length),
    ' '.repeat(length),
  ]);
  const odd = Object.hasOwn(ODD_TEXTS, format) ? ODD_TEXTS[format] : undefined;
  return [...byLength, ...(odd ?? []), ...(name === 'url' ? ODD_URLS : [])];
}

function numberEdges({ minimum, maximum }: SchemaObject): unknown[] {
  const bounds = [minimum, maximum].filter((bound) => bound !== undefined);
  const around = bounds.flatMap((bound) => [bound - 1, bound - 0.5, bound, bound + 0.5, bound + 1]);
  const raw = [
    '-0',
    '1e2',
    '1.0',
    '1e308',
    '1e999',
    '-1e999',
    '1e-400',
    '9007199254740993',
    '18446744073709551616',
  ];
  return [...around, ...around.map(String), ...raw.map((text) => new RawJson(text))];
}

function arrayEdges({ minItems = 0, maxItems, uniqueItems }: SchemaObject): unknown[] {
  const counts = [minItems - 1, minItems, ...(maxItems === undefined ? [100] : [maxItems, maxItems + 1])];
  const sane = counts.filter((count) => count >= 0 && count <= MAX_LENGTH);
  const lists = sane.flatMap((count) => [
    Array.from({ length: count }, (_, index) => `item${index}`),
    Array.from({ length: count }, () => 'same'),
  ]);
  return [...lists, ...(uniqueItems ? [['a', 'b', 'a']] : [])];
}
