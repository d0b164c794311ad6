import { createSpaceSaving } from './space-saving.ts';

/** A name, and how often it comes a second. */
export interface HotName {
  name: string;
  /** Surely so often; up to a hundredth of all that comes may be missing. */
  perSecond: number;
}

/** Knows which names come most of late, however many there are. */
export interface HotNames {
  note(name: string, nowMs: number): void;
  rates(nowMs: number): HotName[];
}

const PLACES = 100;
/** So long ago what came counts half. */
const HALF_LIFE_MS = 10_000;
/** Over less than this nothing is measured. */
const LEAST_MS = 1_000;

export function createHotNames(sinceMs: number): HotNames {
  const sketch = createSpaceSaving(PLACES);
  let halvedAtMs = sinceMs;
  /** How long all has been measured until then, where what is long ago counts less in the same way. */
  let measuredMs = 0;

  function follow(nowMs: number): void {
    const lives = Math.floor((nowMs - halvedAtMs) / HALF_LIFE_MS);
    if (lives <= 0) return;
    const factor = 0.5 ** lives;
    sketch.scale(factor);
    measuredMs = HALF_LIFE_MS + (measuredMs - HALF_LIFE_MS) * factor;
    halvedAtMs += lives * HALF_LIFE_MS;
  }

  return {
    note(name, nowMs) {
      follow(nowMs);
      sketch.add(name);
    },
    rates(nowMs) {
      follow(nowMs);
      const seconds = Math.max(LEAST_MS, measuredMs + nowMs - halvedAtMs) / 1_000;
      return sketch
        .tallies()
        .map(({ name, count, error }) => ({ name, perSecond: (count - error) / seconds }));
    },
  };
}
