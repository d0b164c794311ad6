import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { JobTypeDescription } from './job-type.ts';

/** Enough for the few that an installation ever has, and short enough for a name that people read. */
const ID_CHARACTERS = 12;

/**
 * Names what a worker can run: a hash of its job types, with their queues, schemas and defaults, and of the product's
 * version. Their code is not part of it, so workers that differ in nothing else share their jobs.
 */
export function buildId(types: JobTypeDescription[], version: string): string {
  const sorted = types.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return shortHash({ types: sorted, version });
}

/** Names a payload schema: two that say the same in the same words have one id. */
export function schemaId(payloadSchema: object): string {
  return shortHash(payloadSchema);
}

/** Goes through JSON first, as a schema goes to the ledger, so that what is undefined makes no difference. */
function shortHash(value: unknown): string {
  const canonical = canonicalize(JSON.parse(JSON.stringify(value))) ?? '';
  return createHash('sha256').update(canonical).digest('hex').slice(0, ID_CHARACTERS);
}
