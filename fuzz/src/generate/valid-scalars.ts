import fc, { type Arbitrary } from 'fast-check';
import type { SchemaObject } from '../document/schema.ts';
import type { Context } from './context.ts';
import type { Draw } from './draw.ts';

const MORE_LENGTH = 30;

/** Any character of Unicode, assigned or not, U+0000 among them. The library's own takes seconds to list them all. */
const anyCharacter = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

const UNITS: Record<string, 'grapheme-ascii' | 'grapheme' | Arbitrary<string>> = {
  ascii: 'grapheme-ascii',
  grapheme: 'grapheme',
  any: anyCharacter,
};

const DATES = {
  min: new Date('2000-01-01T00:00:00Z'),
  max: new Date('2040-01-01T00:00:00Z'),
  noInvalidDate: true,
};

const PATHS = fc.constantFrom('/', '/ok?a=1&b', '/%C3%A4/..', '/a;b=c');

type FormatContext = Pick<Context, 'receiverUrl'>;

const FORMATS: Record<string, (context: FormatContext) => Arbitrary<string>> = {
  'date-time': () => fc.date(DATES).map((date) => date.toISOString()),
  date: () => fc.date(DATES).map((date) => date.toISOString().slice(0, 10)),
  uuid: () => fc.uuid(),
  email: () => fc.emailAddress(),
  ipv4: () => fc.ipV4(),
  ipv6: () => fc.ipV6(),
  uri: ({ receiverUrl }) => PATHS.map((path) => receiverUrl + path),
  'uri-reference': () => PATHS,
};

/** Such an arbitrary takes milliseconds to make. */
const made = new Map<string, Arbitrary<string>>();

function madeOnce(name: string, make: () => Arbitrary<string>): Arbitrary<string> {
  const arbitrary = made.get(name) ?? make();
  made.set(name, arbitrary);
  return arbitrary;
}

/** Draws a text by its format, its pattern, or its length. */
export function drawText(draw: Draw, schema: SchemaObject, context: FormatContext): string {
  const { format = '', pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  const formatted = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (formatted) return draw.value(formatted(context));
  if (pattern !== undefined)
    return draw.value(madeOnce(`pattern ${pattern}`, () => fc.stringMatching(new RegExp(pattern, 'u'))));
  const unitName = draw.pick(Object.keys(UNITS));
  const most = Math.min(maxLength, minLength + MORE_LENGTH);
  const name = `${unitName} ${minLength} ${most}`;
  const unit = UNITS[unitName] ?? 'grapheme-ascii';
  const text = draw.value(madeOnce(name, () => fc.string({ unit, minLength, maxLength: most })));
  // What a person takes for one character may be several for JSON Schema.
  return [...text].slice(0, most).join('');
}

/** Draws a number within its bounds. */
export function drawNumber(draw: Draw, schema: SchemaObject, isInteger: boolean): number {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const min = minimum ?? exclusiveMinimum ?? Number.MIN_SAFE_INTEGER;
  const max = maximum ?? exclusiveMaximum ?? Number.MAX_SAFE_INTEGER;
  if (!isInteger)
    return draw.value(
      fc.double({
        min,
        max,
        minExcluded: exclusiveMinimum !== undefined,
        maxExcluded: exclusiveMaximum !== undefined,
        noNaN: true,
      }),
    );
  const inside = {
    min: Math.ceil(min) + (exclusiveMinimum === undefined ? 0 : 1),
    max: Math.floor(max) - (exclusiveMaximum === undefined ? 0 : 1),
  };
  return draw.value(fc.integer(inside));
}
