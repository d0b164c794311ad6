import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How long what comes waits for the event loop, on average over a time. */
export interface LoopDelay {
  lateMs: number;
  overMs: number;
}

/** Measures the event loop of this process. */
export interface LoopWatch {
  /** Since the last time. */
  read(): LoopDelay;
  stop(): void;
}

const USUAL_RESOLUTION_MS = 50;
const NS_PER_MS = 1_000_000;

/**
 * Starts measuring. The library tells how far apart turns of the loop are, and what comes at any moment waits for the next one: half of
 * the mean square of the distances over their mean. That heeds one turn of two seconds as it should: most of what comes then comes in it.
 * It looks every `resolutionMs`.
 */
export function watchLoop(resolutionMs = USUAL_RESOLUTION_MS): LoopWatch {
  const turns = monitorEventLoopDelay({ resolution: resolutionMs });
  turns.enable();
  let sinceMs = performance.now();

  return {
    read() {
      const nowMs = performance.now();
      const overMs = nowMs - sinceMs;
      const { count, mean, stddev } = turns;
      turns.reset();
      sinceMs = nowMs;
      if (count === 0) return { lateMs: 0, overMs };
      const waitMs = (mean ** 2 + stddev ** 2) / (2 * mean) / NS_PER_MS;
      // It looks so often by itself.
      return { lateMs: Math.max(0, waitMs - resolutionMs / 2), overMs };
    },
    stop: () => void turns.disable(),
  };
}

/** Answers the delay over both times. */
export function overBoth(one: LoopDelay, other: LoopDelay): LoopDelay {
  const overMs = one.overMs + other.overMs;
  if (overMs === 0) return one;
  return { lateMs: (one.lateMs * one.overMs + other.lateMs * other.overMs) / overMs, overMs };
}
