/**
 * Decides who has waited too long to be served: a queue that is full of those whose callers have given up serves nobody in time.
 * After K. Nichols and V. Jacobson, Controlling Queue Delay (ACM Queue 10(5), 2012), with two bounds as B. Maurer, Fail at Scale
 * (ACM Queue 13(8), 2015) has them: while there is only a burst all may wait for long, and while it lasts only for a moment.
 */
export interface ControlledDelay {
  isLate(waitedMs: number, nowMs: number): boolean;
  /** Is told that more have come than a burst has: from now on nobody is to wait for long. */
  noteCrowd(nowMs: number): void;
  /** Whether somebody did, of late. */
  isStrict(nowMs: number): boolean;
}

export interface DelayBounds {
  /** Nobody waits for longer, but in a burst that is soon over. */
  mostMs: number;
  /** Nor for longer than this, for a while from when somebody did. */
  strictMs: number;
}

/** So long some may wait for longer than is meant: then it was a burst. */
const BURST_MS = 500;
/** It is tried again whether all can be served; each time that they cannot, the next try is twice as far away. */
const STRICT_FOR_MS = { least: 1_000, most: 16_000 };

export function createControlledDelay({ mostMs, strictMs }: DelayBounds): ControlledDelay {
  let strictForMs = 0;
  let strictUntilMs = Number.NEGATIVE_INFINITY;
  let overSinceMs: number | undefined;

  function beStrict(nowMs: number): void {
    const wasCalm = nowMs - strictUntilMs > strictForMs;
    const longer = Math.min(STRICT_FOR_MS.most, 2 * strictForMs);
    strictForMs = wasCalm ? STRICT_FOR_MS.least : longer;
    strictUntilMs = nowMs + strictForMs;
    overSinceMs = undefined;
  }

  return {
    isLate(waitedMs, nowMs) {
      if (nowMs < strictUntilMs) return waitedMs > strictMs;
      if (waitedMs <= mostMs) {
        overSinceMs = undefined;
        return false;
      }
      overSinceMs ??= nowMs;
      const wasCalm = nowMs - strictUntilMs > strictForMs;
      if (wasCalm && nowMs - overSinceMs < BURST_MS) return false;
      beStrict(nowMs);
      return true;
    },
    noteCrowd(nowMs) {
      if (nowMs >= strictUntilMs) beStrict(nowMs);
    },
    isStrict: (nowMs) => nowMs < strictUntilMs,
  };
}
