import { types } from 'node:util';
import { lostInJson } from './json-loss.ts';
import { jsonPointer } from './json-pointer.ts';

/** Tells why a value cannot be stored as JSON text; the message says where in it. */
export class UnstorableValueError extends Error {
  override name = 'UnstorableValueError';
  readonly fault: 'too_large' | 'not_serializable' | 'unstorable_text' | 'changed';

  constructor(fault: UnstorableValueError['fault'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/**
 * Writes a value as JSON text of at most `maxBytes` bytes; `undefined` becomes `null`. Throws UnstorableValueError.
 *
 * The size is counted on the way, so that a huge value is refused before its text is built. Postgres cannot hold
 * `\u0000` or half of a surrogate pair, so text with either is refused. So is what JSON would change without a word: a
 * `Map` that becomes `{}` is a result lost, and its job would have succeeded.
 */
export function jsonText(value: unknown, maxBytes: number): string {
  const text = stringify(value ?? null, budget(maxBytes));
  if (text === undefined) {
    throw new UnstorableValueError('not_serializable', `A ${typeof value} cannot be written as JSON.`);
  }
  if (Buffer.byteLength(text) > maxBytes) throw tooLarge(maxBytes);
  return text;
}

/** Within these bounds a text is small enough to be built before it is counted. */
const PLAIN = { depth: 3, members: 20, characters: 1_000 };

/**
 * Writes what is small and of nothing but what JSON holds as it is, which nearly all results are, without a look at each
 * part; `undefined` for all else. JSON escapes what cannot be stored, so text with an escape is left to the closer look.
 */
function stringifyPlain(value: unknown): string | undefined {
  const text = isPlain(value, PLAIN.depth) ? JSON.stringify(value) : undefined;
  return text?.includes('\\u') ? undefined : text;
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.length <= PLAIN.characters;
  if (typeof value !== 'object') return typeof value === 'boolean';
  if (value === null) return true;
  if (depth === 0 || 'toJSON' in value || 'then' in value) return false;
  const isList = Array.isArray(value);
  if (isList ? value.length > PLAIN.members : Object.getPrototypeOf(value) !== Object.prototype) return false;
  const members: unknown[] = isList ? value : Object.values(value);
  return members.length <= PLAIN.members && members.every((member) => isPlain(member, depth - 1));
}

function stringify(value: unknown, spend: (characters: number) => void): string | undefined {
  try {
    return stringifyPlain(value) ?? stringifyCarefully(value, spend);
  } catch (error) {
    if (error instanceof UnstorableValueError) throw error;
    // A cycle, a depth beyond the stack, or a `toJSON` or getter that throws.
    const why = error instanceof Error ? error.message : 'something in it threw.';
    throw new UnstorableValueError('not_serializable', `It cannot be written as JSON: ${why}`, {
      cause: error,
    });
  }
}

function stringifyCarefully(value: unknown, spend: (characters: number) => void): string | undefined {
  spendBinary(value, spend);
  const path = trackPath();
  return JSON.stringify(value, function (this: unknown, key, child: unknown) {
    path.enter(this, key, child);
    // A property without a JSON value is left out, as everybody expects of JSON: nothing, or a method.
    if (!Array.isArray(this) && isNothing(child)) return undefined;
    spend(Array.isArray(this) ? 1 : key.length + 1);
    checkText(key, path);
    checkValue(this, key, child, path);
    if (typeof child === 'string') {
      spend(child.length);
      checkText(child, path);
    }
    if (typeof child === 'object' && child !== null) {
      for (const grandchild of Object.values(child)) spendBinary(grandchild, spend);
    }
    return child;
  });
}

function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

/** Where in the value `JSON.stringify` is. */
interface Path {
  enter(holder: unknown, key: string, child: unknown): void;
  toString(): string;
}

/** It is done with all of a value before it takes the next one, so that the present one and those around it are a stack. */
function trackPath(): Path {
  const values: unknown[] = [];
  const keys: string[] = [];
  return {
    enter(holder, key, value) {
      while (values.length > 0 && values[values.length - 1] !== holder) values.pop();
      keys.length = values.length;
      values.push(value);
      keys.push(key);
    },
    toString: () => jsonPointer(keys.slice(1)).slice(0, MAX_SHOWN_PATH) || 'the whole',
  };
}

const MAX_SHOWN_PATH = 200;

/** Binary data is written as a list of numbers, all of it before the replacer sees any, so it is counted ahead. */
function spendBinary(value: unknown, spend: (characters: number) => void): void {
  if (ArrayBuffer.isView(value)) spend(value.byteLength);
}

function checkValue(holder: unknown, key: string, value: unknown, path: Path): void {
  if (typeof value === 'bigint') {
    throw new UnstorableValueError('not_serializable', `${path}: a BigInt cannot be written as JSON.`);
  }
  // What it was before `toJSON`: that of a date gives `null` for one that there is not.
  const isNoDate = value === null && types.isDate(Reflect.get(holder as object, key));
  const lost = isNoDate
    ? 'an invalid date'
    : Array.isArray(holder)
      ? lostAsElement(value)
      : lostInJson(value);
  if (lost !== undefined) throw new UnstorableValueError('changed', `${path}: JSON does not hold ${lost}.`);
}

function lostAsElement(value: unknown): string | undefined {
  return value !== undefined && isNothing(value) ? `a ${typeof value}` : lostInJson(value);
}

function checkText(text: string, path: Path): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    const message = `${path}: text with \\u0000 or half of a surrogate pair cannot be stored.`;
    throw new UnstorableValueError('unstorable_text', message.replaceAll('\0', '\\u0000').toWellFormed());
  }
}

function budget(maxBytes: number): (characters: number) => void {
  let left = maxBytes;
  return (characters) => {
    left -= characters;
    if (left < 0) throw tooLarge(maxBytes);
  };
}

function tooLarge(maxBytes: number): UnstorableValueError {
  return new UnstorableValueError('too_large', `It is larger than ${maxBytes} bytes as JSON.`);
}
