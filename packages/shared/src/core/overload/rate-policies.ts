import type { Bucket } from './lent-tokens.ts';

/** How many jobs may be submitted a second; `burst`: how many at once where nothing was for long, `null` as many as in a second. */
export interface Rate {
  perSecond: number;
  burst: number | null;
}

/** A policy as its callers are told of it: so many requests in a window (draft-ietf-httpapi-ratelimit-headers). */
export interface RatePolicy {
  name: 'tenant' | 'key' | 'daily';
  bucket: Bucket;
  windowSeconds: number;
}

/** What is laid down for somebody, as buckets to take tokens out of. */
export function ratePolicy(name: 'tenant' | 'key', id: string, { perSecond, burst }: Rate): RatePolicy {
  const capacity = burst ?? Math.max(1, Math.ceil(perSecond));
  return {
    name,
    bucket: { name: `${name} ${id}`, perSecond, capacity },
    windowSeconds: Math.ceil(capacity / perSecond),
  };
}

const DAY_SECONDS = 86_400;

/** The quota of a tenant for the day of UTC that `now` is in: each day has a bucket of its own. */
export function quotaPolicy(tenantId: string, dailyQuota: number, now: Date): RatePolicy {
  const day = now.toISOString().slice(0, 'YYYY-MM-DD'.length);
  return {
    name: 'daily',
    bucket: { name: `quota ${day} ${tenantId}`, perSecond: 0, capacity: dailyQuota },
    windowSeconds: DAY_SECONDS,
  };
}

/** In how many seconds the day of UTC is over. */
export function secondsToMidnight(now: Date): number {
  return DAY_SECONDS - Math.floor((now.getTime() / 1_000) % DAY_SECONDS);
}

/** Writes `RateLimit-Policy`, such as `"tenant";q=100;w=1`. */
export function policyHeader(policies: readonly RatePolicy[]): string {
  return policies
    .map(({ name, bucket, windowSeconds }) => `"${name}";q=${bucket.capacity};w=${windowSeconds}`)
    .join(', ');
}

/** Writes `RateLimit`, such as `"tenant";r=50;t=1`: what is left, and in how many seconds all of it is there again. */
export function limitHeader(
  policies: readonly RatePolicy[],
  remaining: (bucket: Bucket) => number,
  now: Date,
): string {
  return policies
    .map(({ name, bucket }) => {
      const left = remaining(bucket);
      const { perSecond, capacity } = bucket;
      const seconds = perSecond > 0 ? Math.ceil((capacity - left) / perSecond) : secondsToMidnight(now);
      return `"${name}";r=${left};t=${seconds}`;
    })
    .join(', ');
}
