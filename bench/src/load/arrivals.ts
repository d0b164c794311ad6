/** When the requests of an open loop are to be sent, by their number from 0. */
export interface Arrivals {
  readonly count: number;
  /** Milliseconds after the start at which request `n` is due. */
  dueMs(n: number): number;
  /** How many requests are due `elapsedMs` after the start. */
  dueBy(elapsedMs: number): number;
}

/** Spaces requests evenly: so many a second, for so many seconds. */
export function evenArrivals({ perSecond, seconds }: { perSecond: number; seconds: number }): Arrivals {
  const count = Math.floor(perSecond * seconds);
  const dueMs = (n: number) => (n / perSecond) * 1_000;
  return {
    count,
    dueMs,
    dueBy: (elapsedMs) =>
      elapsedMs < 0 ? 0 : Math.min(count, Math.floor((elapsedMs * perSecond) / 1_000) + 1),
  };
}
