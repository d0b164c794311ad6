/** What may begin before the event loop looks at the network again. */
export interface SliceBounds {
  ms: number;
  /** What goes on later, in the same turn of the event loop, takes no time that could be measured. */
  count: number;
}

/** The time of the event loop in slices, between which it looks at the network. */
export interface Slices {
  isUsedUp(): boolean;
  run(begin: () => void): void;
  /** Has another slice begin, if none is to. */
  schedule(): void;
}

/** `beginMore` is called at each slice; after one that it has used up there is another. */
export function createSlices(bounds: SliceBounds, beginMore: () => void): Slices {
  let spent = { ms: 0, count: 0 };
  let isScheduled = false;

  const isUsedUp = () => spent.ms >= bounds.ms || spent.count >= bounds.count;

  function startSlice(): void {
    isScheduled = false;
    spent = { ms: 0, count: 0 };
    beginMore();
    if (isUsedUp()) schedule();
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(startSlice);
  }

  return {
    isUsedUp,
    run(begin) {
      const startedAtMs = performance.now();
      begin();
      spent.ms += performance.now() - startedAtMs;
      spent.count += 1;
    },
    schedule,
  };
}
