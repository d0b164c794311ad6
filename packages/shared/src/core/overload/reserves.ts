import { createPace, type Pace } from './pace.ts';

/** Room under a bound that is kept for what is more urgent, for as long as that comes: where nothing more urgent comes all is lent. */
export interface Reserves {
  /** Notes that a job of a priority came, whether or not it was let in. */
  came(key: string, priority: number, nowMs: number): void;
  /** How many of the `most` jobs that may be there are not for one of this priority. */
  keptFrom(key: string, priority: number, most: number, nowMs: number): number;
}

/** As much as comes within this: until then others have finished, and room that was taken elsewhere is known to be. */
const KEPT_SECONDS = 1;
/** Nor is more kept than this part: what is less urgent must not be shut out by a flood of what is more so. */
const MOST_PART = 1 / 2;
const MOST_KEYS = 2_000;

export function createReserves(): Reserves {
  const byKey = new Map<string, Map<number, Pace>>();

  return {
    came(key, priority, nowMs) {
      const paces = byKey.get(key) ?? new Map<number, Pace>();
      const pace = paces.get(priority) ?? createPace();
      pace.count(nowMs);
      byKey.set(key, paces.set(priority, pace));
      const [oldest] = byKey.keys();
      if (byKey.size > MOST_KEYS && oldest !== undefined) byKey.delete(oldest);
    },
    keptFrom(key, priority, most, nowMs) {
      let kept = 0;
      for (const [other, pace] of byKey.get(key) ?? [])
        if (other < priority) kept += pace.perSecond(nowMs) * KEPT_SECONDS;
      return Math.floor(Math.min(kept, most * MOST_PART));
    },
  };
}
