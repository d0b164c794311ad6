/** What a histogram has counted, up to each bound. */
export type Buckets = ReadonlyMap<number, number>;

/** Reads a histogram out of OpenMetrics text, over all of its labels; `undefined` where it is not there. */
export function readBuckets(metrics: string, name: string): Buckets | undefined {
  const buckets = new Map<number, number>();
  for (const line of metrics.split('\n')) {
    const [, labels = '', value] = line.match(/^(?:\w+)_bucket\{([^}]*)\} (\S+)/) ?? [];
    const [, bound] = labels.match(/(?:^|,)le="([^"]+)"/) ?? [];
    if (!line.startsWith(`${name}_bucket`) || bound === undefined) continue;
    const upTo = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    buckets.set(upTo, (buckets.get(upTo) ?? 0) + Number(value));
  }
  return buckets.size > 0 ? buckets : undefined;
}

/** Takes what was counted before off. */
export function countedSince(after: Buckets, before: Buckets | undefined): Buckets {
  return new Map([...after].map(([upTo, count]) => [upTo, count - (before?.get(upTo) ?? 0)]));
}

export function countOf(buckets: Buckets): number {
  return Math.max(0, ...buckets.values());
}

/**
 * The value that such a part does not exceed, with those of a bucket spread evenly over it, as Prometheus has them; that of the
 * last bound for what lies beyond it.
 */
export function quantileOf(buckets: Buckets, part: number): number {
  const rank = part * countOf(buckets);
  let [lower, below] = [0, 0];
  for (const [upper, count] of [...buckets].sort(([a], [b]) => a - b)) {
    if (count >= rank && upper === Number.POSITIVE_INFINITY) return lower;
    if (count >= rank) return lower + ((upper - lower) * (rank - below)) / Math.max(1, count - below);
    [lower, below] = [upper, count];
  }
  return lower;
}
