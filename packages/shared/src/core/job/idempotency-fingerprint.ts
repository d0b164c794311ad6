import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { canonicalDecimal } from '../json/canonical-decimal.ts';
import { parseExactly, replaceNumbers } from '../json/exact-numbers.ts';
import { type JsonText, spliceTexts } from '../json/json-text.ts';

/**
 * Names a request that may come again: of a tenant, all with the same `route` and `key` are one. `fingerprint` tells whether
 * they ask for the same.
 */
export interface RequestKey {
  route: string;
  key: string;
  fingerprint: Buffer;
}

/**
 * Computes the fingerprint of a request: SHA-256 over the route and the canonical form of the body (RFC 8785), so
 * that the order of keys and white space do not matter. `body` must be a JSON value without lone surrogates; a number
 * that a double would change counts with all its digits, however it is spelled. A `JsonText` counts as what it means.
 */
export function idempotencyFingerprint(route: string, body: unknown): Buffer {
  const canonical = spliceTexts(() => canonicalJson(body), canonicalTextOf);
  return createHash('sha256').update(route).update('\n').update(canonical).digest();
}

/** Writes a JSON value in its canonical form, with every digit of its numbers. */
export function canonicalJson(value: unknown): string {
  const canonical = canonicalize(replaceNumbers(value, asDigits));
  if (canonical === undefined) throw new TypeError('Only a JSON value has a canonical form.');
  return canonical;
}

function canonicalTextOf({ text, canonical }: JsonText): string {
  return canonical ?? canonicalJson(parseExactly(text));
}

/** No text of a request has U+0000, so a number cannot be taken for one. */
function asDigits(digits: string): string {
  return `\0${canonicalDecimal(digits)}`;
}
