/** What can be written in time, at least and at most, in bytes. */
export interface PaceBounds {
  least: number;
  most: number;
}

/** How long ago a write counts half as much as the last one, in writes. */
const HALF_LIFE = 4;

/** Tells how many bytes can be written within a time, by how long writes have taken. */
export interface WritingPace {
  written(bytes: number, ms: number): void;
  /** As many as the bounds allow, while nothing was written. */
  bytesWithin(ms: number): number;
}

/** `atOnce` writes are under way at the same time. */
export function createWritingPace({ least, most }: PaceBounds, atOnce: number): WritingPace {
  let bytesPerMs: number | undefined;
  return {
    written(bytes, ms) {
      const last = bytes / Math.max(1, ms);
      const keeps = 0.5 ** (1 / HALF_LIFE);
      bytesPerMs = bytesPerMs === undefined ? last : keeps * bytesPerMs + (1 - keeps) * last;
    },
    bytesWithin: (ms) =>
      bytesPerMs === undefined ? most : Math.min(most, Math.max(least, bytesPerMs * ms * atOnce)),
  };
}
