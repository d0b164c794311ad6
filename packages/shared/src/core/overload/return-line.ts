/**
 * The line of those who were refused: each is told to come back a moment after the one before, as far apart as others are let in.
 * Told the same, or a time at random, they would all come back together.
 */
export interface ReturnLine {
  /** In how many milliseconds the next one may come back, where nobody is let in for `closedMs` and then so many a second. */
  nextInMs(nowMs: number, perSecond: number, closedMs?: number): number;
}

/** Nobody is sent away for longer than `mostMs`: most who are told so do not come back at all, or do not heed it. */
export function createReturnLine(mostMs = 600_000): ReturnLine {
  let standing = 0;
  let sinceMs: number | undefined;
  return {
    nextInMs(nowMs, perSecond, closedMs = 0) {
      const gone = (perSecond * (nowMs - (sinceMs ?? nowMs))) / 1_000;
      const most = (perSecond * mostMs) / 1_000;
      standing = Math.min(most, Math.max(0, standing - gone) + 1);
      sinceMs = nowMs;
      return perSecond > 0 ? Math.min(mostMs, closedMs + (standing / perSecond) * 1_000) : mostMs;
    },
  };
}

/**
 * Makes of a time the whole seconds that a `Retry-After` has (RFC 9110, section 10.2.3), up to a second and a half and three tenths of it later.
 * Rounded up, all who were refused within a moment are told the same, and come back as close together as they came: half as many again in a
 * second as can be done. By a second at random, too, as moments and seconds go together.
 */
export function wholeSeconds(ms: number, random: () => number = Math.random): number {
  const seconds = (ms / 1_000) * (1 + LATER_PART * random());
  return Math.max(1, Math.floor(seconds + SPREAD_SECONDS * random() - 1 / 2));
}

const LATER_PART = 0.3;
const SPREAD_SECONDS = 3;
