import { canonicalDecimal, plainDecimal } from './canonical-decimal.ts';

/**
 * JSON as it was written: a number that a double would change stays the text it was. Between the door and whoever reads
 * it, such a number is a value of `JSON.rawJSON`, which `JSON.stringify` writes digit by digit. TypeScript's libraries
 * do not know of it yet (ECMAScript 2026).
 */
const { rawJSON, isRawJSON } = JSON as typeof JSON & {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

interface RawNumber {
  readonly rawJSON: string;
}

/** What a number that a double changes must have, if not many digits. */
const LARGE_EXPONENT = /\d[eE][+-]?\d{3}/;
const MANY_DIGITS = 16;

/** Every number of a JSON text, and some of what stands in its strings: that costs a second look, no more. */
const NUMBERS = /(?<=^|[\s:,[])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=$|[\s,\]}])/g;

/** What a double holds whatever it is: 15 digits, sign, point and zero before it, without an exponent. */
const ALWAYS_EXACT_LENGTH = 15;

/** Every array and object above a number that was kept, so that whoever reads need not look for one in vain. */
const holders = new WeakSet<object>();

/** Parses JSON; a number whose value a double would change is kept as it is written. Throws as `JSON.parse` does. */
export function parseExactly(text: string): unknown {
  return holdsInexactNumbers(text) ? parseWithDigits(text) : JSON.parse(text);
}

/** Tells whether `JSON.parse` would change a number of this text; now and then also of a text that only looks so. */
export function holdsInexactNumbers(text: string): boolean {
  if (!hasLongRun(text) && !LARGE_EXPONENT.test(text)) return false;
  for (const [number] of text.matchAll(NUMBERS)) if (!isExact(Number(number), number)) return true;
  return false;
}

/** Looks at every sixteenth character only: a pattern looks at all, which took thirty times as long. */
function hasLongRun(text: string): boolean {
  for (let at = MANY_DIGITS - 1; at < text.length; at += MANY_DIGITS) {
    if (!isDigitOrPoint(text, at)) continue;
    let start = at;
    let end = at + 1;
    while (isDigitOrPoint(text, start - 1)) start--;
    while (isDigitOrPoint(text, end)) end++;
    if (end - start >= MANY_DIGITS) return true;
    at = end - 1;
  }
  return false;
}

function isDigitOrPoint(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || code === 46;
}

/** Answers the digits of a number that was kept as it was written; `undefined` for everything else. */
export function digitsOf(value: unknown): string | undefined {
  return isRawJSON(value) ? value.rawJSON : undefined;
}

/** Copies a parsed value with the kept numbers as text. A value without any, as most are, comes back itself. */
export function numbersAsText(value: unknown): unknown {
  return replaceNumbers(value, String);
}

/** Copies a parsed value with the kept numbers replaced; a value without any comes back itself. */
export function replaceNumbers(value: unknown, replace: (digits: string) => unknown): unknown {
  if (isRawJSON(value)) return replace(value.rawJSON);
  if (typeof value !== 'object' || value === null || !holders.has(value)) return value;
  if (Array.isArray(value)) return value.map((item) => replaceNumbers(item, replace));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceNumbers(item, replace)]));
}

/** Writes a parsed value as JSON in which each kept number has one spelling, without an exponent. */
export function stringifyPlainly(value: unknown): string {
  return JSON.stringify(replaceNumbers(value, (digits) => rawJSON(plainDecimal(digits))));
}

type Parse = (
  text: string,
  reviver: (this: object, key: string, value: unknown, at: Source) => unknown,
) => unknown;
type Source = { source?: string };

function parseWithDigits(text: string): unknown {
  return (JSON.parse as Parse)(text, function (_key, value, { source = '' }) {
    if (typeof value === 'number') {
      if (isExact(value, source)) return value;
      holders.add(this);
      return rawJSON(source);
    }
    if (typeof value === 'object' && value !== null && holders.has(value)) holders.add(this);
    return value;
  });
}

/** No number that anybody means is longer; comparing its digits must not become work. */
export const MAX_DIGITS = 1_000;

function isExact(value: number, source: string): boolean {
  const written = String(value);
  if (written === source) return true;
  if (!Number.isFinite(value)) return false;
  if (source.length <= ALWAYS_EXACT_LENGTH && !/e/i.test(source)) return true;
  return source.length <= MAX_DIGITS && canonicalDecimal(written) === canonicalDecimal(source);
}
