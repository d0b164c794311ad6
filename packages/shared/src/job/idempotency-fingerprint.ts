import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * Computes the fingerprint of a request: SHA-256 over the route and the canonical form of the body (RFC 8785), so
 * that the order of keys and white space do not matter. `body` must be a JSON value without lone surrogates.
 */
export function idempotencyFingerprint(route: string, body: unknown): Buffer {
  const canonical = canonicalize(body);
  if (canonical === undefined) throw new TypeError('Only a JSON value has a fingerprint.');
  return createHash('sha256').update(route).update('\n').update(canonical).digest();
}
