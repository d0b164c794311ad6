import { closest, distance } from 'fastest-levenshtein';

const MAX_SHOWN = 100;
const MAX_LISTED = 20;

/** Writes a value as JSON, cut where it is long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

/** Writes values as a list for people: `"a", "b" or "c"`. */
export function listOf(words: readonly string[], conjunction: 'or' | 'and' = 'or'): string {
  const shown = words.slice(0, MAX_LISTED);
  const more = words.length - shown.length;
  if (more > 0) return `${shown.join(', ')} ${conjunction} ${more} more`;
  return shown.length < 2
    ? shown.join('')
    : `${shown.slice(0, -1).join(', ')} ${conjunction} ${shown.at(-1)}`;
}

/** Suggests the word that was probably meant; nothing where none is near. */
export function suggestion(given: string, known: readonly string[], quote: '`' | '"'): string {
  if (known.length === 0 || given.length > MAX_SHOWN) return '';
  const lowerCase = known.map((word) => word.toLowerCase());
  const nearest = closest(given.toLowerCase(), lowerCase);
  const isNear = distance(given.toLowerCase(), nearest) <= mostSlips(Math.max(given.length, nearest.length));
  return isNear ? ` Did you mean ${quote}${known[lowerCase.indexOf(nearest)]}${quote}?` : '';
}

/** Another letter makes another word of a short one, such as `5xx` of `2xx`: there only upper and lower case are mixed up. */
function mostSlips(length: number): number {
  return length < 4 ? 0 : Math.floor(length / 3);
}

const ARTICLES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  null: 'null',
  // The stand-in for a number that was kept as it was written.
  symbol: 'a number with more digits than a double holds exactly',
};

/** Says what a type of JSON is, for people. */
export function typeWords(types: readonly string[]): string {
  return listOf(types.map((type) => ARTICLES[type] ?? type));
}

/** Says of what type a value is, as far as that tells why it is not of another. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a number with a fraction';
  return ARTICLES[typeof value] ?? typeof value;
}

/** Writes a count with its noun: `1 item`, `2 items`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
