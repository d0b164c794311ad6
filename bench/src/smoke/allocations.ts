/** What a heap held before and after each collection, as `v8.GCProfiler` tells it, in bytes. */
export interface Collection {
  usedBefore: number;
  usedAfter: number;
}

/**
 * Answers how many bytes were allocated on a heap: what each collection found beyond what the one before had left. V8
 * of Node 24 has no counter of its own for that.
 */
export function allocatedBytes(usedAtStart: number, collections: Collection[], usedAtEnd: number): number {
  const { allocated, used } = collections.reduce(
    (sum, { usedBefore, usedAfter }) => ({
      allocated: sum.allocated + usedBefore - sum.used,
      used: usedAfter,
    }),
    { allocated: 0, used: usedAtStart },
  );
  return allocated + usedAtEnd - used;
}
