/** How many attempts of a job type were made lately, by kind. */
export interface RecentAttempts {
  first: number;
  retries: number;
}

/** Retries may be this share of the recent first attempts (Google SRE book, "Handling Overload": 10 %). */
const SHARE_OF_FIRST_ATTEMPTS = 0.1;
/** So many retries are always allowed, or a type that runs once an hour could never retry. */
const FREE_RETRIES = 20;
const MAX_STRETCH = 10;

/**
 * Says by what factor to stretch the waits before retries, 1 while the budget holds. When a dependency is down and
 * everything fails, retries would multiply the load on it; none is lost for that, they only come later.
 */
export function retryStretch({ first, retries }: RecentAttempts): number {
  const allowed = Math.max(FREE_RETRIES, SHARE_OF_FIRST_ATTEMPTS * first);
  return Math.min(MAX_STRETCH, Math.max(1, retries / allowed));
}
