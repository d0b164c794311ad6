/** A figure over the rounds of a run. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Sums up what the rounds gave. Throws without any: a figure that was not measured must not look like one. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('There is nothing to sum up.');
  const sorted = values.toSorted((a, b) => a - b);
  return { median: medianOf(sorted), min: sorted[0] as number, max: sorted.at(-1) as number };
}

function medianOf(sorted: readonly number[]): number {
  const upper = Math.floor(sorted.length / 2);
  const lower = Math.ceil(sorted.length / 2) - 1;
  return ((sorted[lower] as number) + (sorted[upper] as number)) / 2;
}

/** Gives the smallest value that at least `share` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new Error('There is no percentile of nothing.');
  return value;
}
