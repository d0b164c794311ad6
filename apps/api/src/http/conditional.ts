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
  const tags = tagsOf(ifNoneMatch).map((tag) => tag.replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/**
 * Answers the tag of a 304: weak where the client has it so, because what it has is the compressed answer. A cache looks for
 * what it has under the very tag (RFC 9111, section 4.3.4).
 */
export function tagAsKnown(ifNoneMatch: string | undefined, etag: string): string {
  const weak = weakTag(etag);
  const known = tagsOf(ifNoneMatch);
  return known.includes(weak) && !known.includes(etag) ? weak : etag;
}

/** Makes an entity tag weak: that of one state in another form (RFC 9110, section 8.8.3.3). */
export function weakTag(etag: string): string {
  return etag.startsWith('W/') ? etag : `W/${etag}`;
}

function tagsOf(ifNoneMatch = ''): string[] {
  return ifNoneMatch.split(',').map((tag) => tag.trim());
}
