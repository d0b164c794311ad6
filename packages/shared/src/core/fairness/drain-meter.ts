/** What a turn of the dispatcher shows of how fast its queue drains. */
export interface SeenDrain {
  /** Jobs that left flight since the turn before. */
  ended: number;
  /** Whether there are at least as many in flight as there are handlers for. */
  isBusy: boolean;
}

/** Measures how many jobs of a queue are started a second while all its handlers are busy: what ends then makes room for as many. */
export interface DrainMeter {
  see(seen: SeenDrain, nowMs: number): void;
  /** `undefined` while handlers idle: then nobody waits, and what ends is what came. */
  perSecond(): number | undefined;
}

/** A measurement takes so long, until so many have ended, but no longer than is said. */
const MEASURED_OVER_MS = { least: 500, most: 10_000 };
const LEAST_ENDED = 5;
/** What happened while nobody looked for so long does not count. */
const GAP_MS = 2_000;
/** The weight of the newest measurement in the moving average. */
const SMOOTHING = 0.5;

export function createDrainMeter(): DrainMeter {
  let perSecond: number | undefined;
  let ended = 0;
  let sinceMs: number | undefined;
  let seenAtMs = Number.NEGATIVE_INFINITY;

  return {
    see(seen, nowMs) {
      const isNew = sinceMs === undefined || nowMs - seenAtMs > GAP_MS;
      seenAtMs = nowMs;
      if (!seen.isBusy) perSecond = undefined;
      if (!seen.isBusy || isNew || sinceMs === undefined) {
        [ended, sinceMs] = [0, seen.isBusy ? nowMs : undefined];
        return;
      }
      ended += seen.ended;
      const lastedMs = nowMs - sinceMs;
      const isEnough = lastedMs >= MEASURED_OVER_MS.least && ended >= LEAST_ENDED;
      if (!isEnough && lastedMs < MEASURED_OVER_MS.most) return;
      const measured = (ended / lastedMs) * 1_000;
      perSecond = perSecond === undefined ? measured : SMOOTHING * measured + (1 - SMOOTHING) * perSecond;
      [ended, sinceMs] = [0, nowMs];
    },
    perSecond: () => perSecond,
  };
}
