/** How often something happens a second, of late. */
export interface Pace {
  count(nowMs: number): void;
  perSecond(nowMs: number): number;
}

const MEASURED_OVER_MS = 500;

export function createPace(): Pace {
  let [before, counted, sinceMs] = [0, 0, Number.NEGATIVE_INFINITY];

  function follow(nowMs: number): void {
    const lastedMs = nowMs - sinceMs;
    if (lastedMs < MEASURED_OVER_MS) return;
    const latest = (counted / lastedMs) * 1_000;
    const isNew = before === 0 || lastedMs >= 2 * MEASURED_OVER_MS;
    before = isNew ? latest : (before + latest) / 2;
    [counted, sinceMs] = [0, nowMs];
  }

  return {
    count(nowMs) {
      follow(nowMs);
      counted += 1;
    },
    perSecond(nowMs) {
      follow(nowMs);
      return Math.max(before, (counted / MEASURED_OVER_MS) * 1_000);
    },
  };
}
