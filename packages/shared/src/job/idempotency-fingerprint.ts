import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { canonicalDecimal } from '../json/canonical-decimal.ts';
import { replaceNumbers } from '../json/exact-numbers.ts';

/**
 * Computes the fingerprint of a request: SHA-256 over the route and the canonical form of the body (RFC 8785), so
 * that the order of keys and white space do not matter. `body` must be a JSON value without lone surrogates; a number
 * that a double would change counts with all its digits, however it is spelled.
 */
export function idempotencyFingerprint(route: string, body: unknown): Buffer {
  const canonical = canonicalize(replaceNumbers(body, asDigits));
  if (canonical === undefined) throw new TypeError('Only a JSON value has a fingerprint.');
  return createHash('sha256').update(route).update('\n').update(canonical).digest();
}

/** No text of a request has U+0000, so a number cannot be taken for one. */
function asDigits(digits: string): string {
  return `\0${canonicalDecimal(digits)}`;
}
