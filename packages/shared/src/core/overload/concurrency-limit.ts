/**
 * Limits how much is worked on at once, by how late what comes has its turn: the limit falls by a part while that is too much, and
 * rises by a step while all of it is used and it is not (AIMD). How long the work takes says nothing: it may wait for others.
 */
export interface ConcurrencyLimit {
  size(): number;
  /** Is told of one stretch of time after the other. */
  follow(stretch: { lateMs: number; mostAtOnce: number }): void;
}

export interface ConcurrencyLimitOptions {
  lateMs: number;
  /** However late it is, so many go on. */
  least: number;
  /** Where it begins. */
  first: number;
  most: number;
}

const FALLS_TO = 0.8;
const RISES_BY = 8;
/** With so much of it in use there may have been need of more. */
const IN_USE = 0.9;

export function createConcurrencyLimit({
  lateMs,
  least,
  first,
  most,
}: ConcurrencyLimitOptions): ConcurrencyLimit {
  let size = first;
  let wasLate = false;
  return {
    size: () => size,
    follow(stretch) {
      const isLate = stretch.lateMs > lateMs;
      // One that is late is a pause that is over.
      if (isLate && wasLate)
        size = Math.max(least, Math.floor(FALLS_TO * Math.min(size, Math.max(least, stretch.mostAtOnce))));
      else if (!isLate && stretch.mostAtOnce >= IN_USE * size) size = Math.min(most, size + RISES_BY);
      wasLate = isLate;
    },
  };
}
