import { createHash } from 'node:crypto';

/**
 * Makes the entity tag of a job: its version counts every change of its own. What is shown and goes on beside it, such as
 * its dispatch or the deliveries of its webhook, takes part as a hash once there is any.
 */
export function jobETag(version: number, beside: readonly unknown[] = []): string {
  if (beside.length === 0) return `"v${version}"`;
  const hash = createHash('sha256').update(JSON.stringify(beside)).digest('base64url');
  return `"v${version}.${hash.slice(0, 16)}"`;
}

/** Tells whether `If-None-Match` names this tag; the comparison is weak (RFC 9110, section 13.1.2). */
export function matchesETag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
