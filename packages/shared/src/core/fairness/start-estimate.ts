/** When a job is likely to start, in milliseconds from now. */
export interface StartEstimate {
  startsInMs: number;
  /** In nine of ten cases it has started by then. */
  p90Ms: number;
  /** In 99 of a hundred. */
  p99Ms: number;
}

/** Percentiles of the standard normal distribution. */
const Z_90 = 1.2816;
const Z_99 = 2.3263;

/**
 * Estimates when the job starts that has so many before it, where so many are started a second. Starts are taken to come at
 * random: the time of the k-th has a gamma distribution, whose percentile is that of E. B. Wilson and M. M. Hilferty (1931).
 */
export function estimateStart(ahead: number, startsPerSecond: number): StartEstimate {
  const starts = ahead + 1;
  const meanMs = (starts / startsPerSecond) * 1_000;
  const spread = 1 / (9 * starts);
  const within = (z: number) => Math.round(meanMs * (1 - spread + z * Math.sqrt(spread)) ** 3);
  return {
    startsInMs: Math.round((ahead / startsPerSecond) * 1_000),
    p90Ms: within(Z_90),
    p99Ms: within(Z_99),
  };
}
