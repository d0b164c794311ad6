/** Counts finished jobs by queue; the rates tell clients and dispatchers how fast a queue drains. */
export interface FinishMeter {
  count(queue: string): void;
  /** Takes a reading: jobs per second by queue, smoothed over the last few readings. */
  read(nowMs: number): Record<string, number>;
}

/** The weight of the newest reading in the moving average. */
const SMOOTHING = 0.4;
const NEGLIGIBLE_RATE = 0.001;

export function createFinishMeter(nowMs: number): FinishMeter {
  const rates = new Map<string, number>();
  let counts = new Map<string, number>();
  let readAt = nowMs;

  return {
    count(queue) {
      counts.set(queue, (counts.get(queue) ?? 0) + 1);
    },
    read(now) {
      const seconds = Math.max((now - readAt) / 1_000, 0.001);
      for (const queue of new Set([...rates.keys(), ...counts.keys()])) {
        const measured = (counts.get(queue) ?? 0) / seconds;
        const rate = SMOOTHING * measured + (1 - SMOOTHING) * (rates.get(queue) ?? measured);
        if (rate < NEGLIGIBLE_RATE) rates.delete(queue);
        else rates.set(queue, rate);
      }
      counts = new Map();
      readAt = now;
      return Object.fromEntries(rates);
    },
  };
}
