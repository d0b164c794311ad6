/** Makes the entity tag of a job: its version counts every change that a client can see. */
export function jobETag(version: number): string {
  return `"v${version}"`;
}

/** Tells whether `If-None-Match` names this tag; the comparison is weak (RFC 9110, section 13.1.2). */
export function matchesETag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
