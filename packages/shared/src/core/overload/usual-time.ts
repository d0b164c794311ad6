/** How long something usually takes. */
export interface Usual {
  /** How many that is known from; no more than some fifty of them weigh. */
  count: number;
  ms: number;
  /** So long at least, but for chance. */
  surelyMs: number;
}

/**
 * Follows how long something takes, as the mean of the logarithms of the times: one that takes a thousand times as long moves it as
 * little as one that takes a thousandth, and where all take twice as long it doubles.
 */
export interface UsualTime {
  add(ms: number, nowMs: number): void;
  /** Of those that have ended of late, and of those that `running` says have taken longer already than is usual. */
  read(running: readonly number[], nowMs: number): Usual;
  forget(): void;
}

interface Moments {
  count: number;
  mean: number;
  variance: number;
}

/** The weight of the newest one, once there are as many. */
const NEWEST = 1 / 25;
/** As many in the end as weigh the same in a plain mean. */
const MOST_COUNTED = 2 / NEWEST - 1;
/** What takes less is the same to everybody. */
const LEAST_MS = 1;
/** What ended before says nothing of now. */
const OF_LATE_MS = 300_000;
/** So many standard errors are no chance, where something is looked at every few seconds. */
const NO_CHANCE = 4;

export function createUsualTime(): UsualTime {
  let ended: Moments = { count: 0, mean: 0, variance: 0 };
  let lastMs = Number.NEGATIVE_INFINITY;

  function ofLate(nowMs: number): Moments {
    if (nowMs - lastMs > OF_LATE_MS) ended = { count: 0, mean: 0, variance: 0 };
    return ended;
  }

  return {
    add(ms, nowMs) {
      addTo(ofLate(nowMs), ms);
      lastMs = nowMs;
    },
    read(running, nowMs) {
      const seen = { ...ofLate(nowMs) };
      const usualMs = seen.count === 0 ? 0 : Math.exp(seen.mean);
      for (const ms of running) if (ms > usualMs) addTo(seen, ms);
      const { count, mean, variance } = seen;
      if (count === 0) return { count, ms: 0, surelyMs: 0 };
      const error = Math.sqrt(variance / Math.min(count, MOST_COUNTED));
      return { count, ms: Math.exp(mean), surelyMs: Math.exp(mean - NO_CHANCE * error) };
    },
    forget() {
      lastMs = Number.NEGATIVE_INFINITY;
    },
  };
}

/** The moving mean and variance of T. Finch, Incremental calculation of weighted mean and variance (2009). */
function addTo(moments: Moments, ms: number): void {
  moments.count += 1;
  const weight = Math.max(1 / moments.count, NEWEST);
  const difference = Math.log(Math.max(LEAST_MS, ms)) - moments.mean;
  moments.mean += weight * difference;
  moments.variance = (1 - weight) * (moments.variance + weight * difference ** 2);
}
