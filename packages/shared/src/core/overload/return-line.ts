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
