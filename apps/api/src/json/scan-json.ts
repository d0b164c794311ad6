import { digitsOf, holdsInexactNumbers, MAX_DIGITS } from '@accepted/shared/core/json/exact-numbers';
import { MAX_DEPTH, pathTooDeep } from '@accepted/shared/core/json/nesting';
import type { Fault } from '../http/problem.ts';

const MAX_FAULTS = 50;

/** Finds the first place that is nested deeper than 64 levels. */
export function findTooDeep(value: unknown): Fault | undefined {
  const path = pathTooDeep(value);
  if (!path) return undefined;
  const pointer = path.map((key) => `/${escapePointer(key)}`).join('');
  return { pointer, detail: `The body is nested deeper than ${MAX_DEPTH} levels.` };
}

/** An escape of a character, and the names that pollute prototypes. */
const SUSPICIOUS = ['\\u', '__proto__', 'constructor'];

/**
 * Tells whether it pays to scan what a text was parsed into. Without an escape a text that is UTF-8 has no half of a
 * surrogate pair, and JSON allows no bare control characters; and a number too large for a double is one that it changes.
 * Most texts are cleared by this alone.
 */
export function mayHoldFaults(text: string, hasInexactNumbers = holdsInexactNumbers(text)): boolean {
  return hasInexactNumbers || SUSPICIOUS.some((part) => text.includes(part));
}

/**
 * Lists what JSON allows and the ledger cannot keep or code behind us cannot take: `\u0000` and lone surrogates
 * (PostgreSQL refuses both), numbers beyond the range of a double or of very many digits, and keys that pollute
 * prototypes in careless code.
 * The value must have passed `findTooDeep`; `pointer` is where it stands in the document.
 */
export function scanJson(value: unknown, pointer = ''): Fault[] {
  const faults: Fault[] = [];
  scan(value, pointer, faults);
  return faults;
}

function scan(value: unknown, pointer: string, faults: Fault[]): void {
  if (faults.length >= MAX_FAULTS) return;
  const digits = digitsOf(value);
  if (digits !== undefined) scanDigits(digits, pointer, faults);
  else if (typeof value === 'string') scanText(value, pointer, 'The text', faults);
  else if (typeof value === 'number') scanNumber(value, pointer, faults);
  else if (typeof value !== 'object' || value === null) return;
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) scan(item, `${pointer}/${index}`, faults);
  } else scanObject(value, pointer, faults);
}

function scanObject(object: object, pointer: string, faults: Fault[]): void {
  for (const [key, item] of Object.entries(object)) {
    const here = `${pointer}/${escapePointer(key)}`;
    scanText(key, here, 'The name of the field', faults);
    if (pollutesPrototype(key, item)) {
      faults.push({ pointer: here, detail: 'A field of this name could change the prototype of objects.' });
      continue;
    }
    scan(item, here, faults);
  }
}

function scanText(text: string, pointer: string, subject: string, faults: Fault[]): void {
  if (text.includes('\u0000')) faults.push({ pointer, detail: `${subject} has the character U+0000.` });
  if (!text.isWellFormed()) faults.push({ pointer, detail: `${subject} has half of a surrogate pair.` });
}

function scanNumber(value: number, pointer: string, faults: Fault[]): void {
  if (!Number.isFinite(value)) faults.push({ pointer, detail: 'The number is too large for a double.' });
}

function scanDigits(digits: string, pointer: string, faults: Fault[]): void {
  const value = Number(digits);
  scanNumber(value, pointer, faults);
  if (value === 0) faults.push({ pointer, detail: 'The number is too small for a double.' });
  if (digits.length > MAX_DIGITS)
    faults.push({ pointer, detail: `The number has more than ${MAX_DIGITS} digits.` });
}

/** The same two shapes that secure-json-parse looks for; a plain field named `constructor` is harmless. */
function pollutesPrototype(key: string, value: unknown): boolean {
  if (key === '__proto__') return true;
  return (
    key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
  );
}

/** Escapes one token of a JSON Pointer (RFC 6901, section 3). */
export function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
