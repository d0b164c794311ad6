import { createHash } from 'node:crypto';
import type { ClaimedJob } from '../job/claimed-job.ts';
import { DELIVERY_TYPE } from '../webhook/event.ts';
import { HTTP_REQUEST_TYPE } from './http-request-faults.ts';

/** What the calls of some jobs have in common: where it fails, it fails for all of them. */
export interface BreakerTarget {
  /** A hash of the other three. */
  id: string;
  tenantId: string;
  type: string;
  /** The origin of a URL, or a URL without its query. */
  target: string;
}

/** Types whose jobs call out, and what of the URL their calls have in common. */
const TARGET_OF: Record<string, (url: URL) => string> = {
  [HTTP_REQUEST_TYPE]: ({ origin }) => origin,
  [DELIVERY_TYPE]: ({ origin, pathname }) => origin + pathname,
};

/** The types whose jobs call out. */
export const CALLING_TYPES = Object.keys(TARGET_OF);

/**
 * Answers what a job calls; `undefined` where it calls nothing, or what is no URL. Tenants are apart from each other: one that makes a
 * server answer with errors must not keep others from calling it.
 */
export function breakerTargetOf({
  tenantId,
  type,
  payload,
}: Pick<ClaimedJob, 'tenantId' | 'type' | 'payload'>): BreakerTarget | undefined {
  const targetOf = Object.hasOwn(TARGET_OF, type) ? TARGET_OF[type] : undefined;
  const url = targetOf && URL.parse(String((payload as { url?: unknown } | null)?.url));
  if (!targetOf || !url) return undefined;
  const target = targetOf(url);
  const id = createHash('sha256')
    .update(JSON.stringify([tenantId, type, target]))
    .digest('hex');
  return { id, tenantId, type, target };
}
