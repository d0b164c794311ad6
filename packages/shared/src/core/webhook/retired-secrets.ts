/** A secret that was replaced; it signs beside the new one up to `signsUntil`, an RFC 3339 time. */
export interface RetiredSecret {
  secret: string;
  signsUntil: string;
}

/** How long a secret goes on signing after another took its place, so that receivers can change over. */
const RETIRED_SIGNS_MS = 24 * 3_600_000;

/** Each makes the header with the signatures longer; it takes a mistake to replace more than these in a day. */
const MAX_RETIRED = 5;

/** Adds a secret that was just replaced to those that were before, the newest first. Pure. */
export function retire(secret: string, retired: readonly RetiredSecret[], now: Date): RetiredSecret[] {
  const signsUntil = new Date(now.getTime() + RETIRED_SIGNS_MS).toISOString();
  return [{ secret, signsUntil }, ...stillSigning(retired, now)].slice(0, MAX_RETIRED);
}

/** Leaves out those whose time is over. Pure. */
export function stillSigning(retired: readonly RetiredSecret[], now: Date): RetiredSecret[] {
  return retired.filter(({ signsUntil }) => Date.parse(signsUntil) > now.getTime());
}
