/** Collects items that arrive together and hands them to `flush` as one batch. */
export interface Batcher<Item, Result> {
  /** Resolves with this item's result; rejects with the error of its batch. */
  add(item: Item): Promise<Result>;
  /** Resolves when everything that was added so far has been flushed. */
  drain(): Promise<void>;
}

export interface BatcherOptions<Item, Result> {
  maxBatchSize: number;
  /** While this many batches are under way, further items wait and so form larger batches. */
  maxConcurrentBatches: number;
  /** Must give one result per item, in the order of the items. */
  flush: (items: Item[]) => Promise<Result[]>;
}

/** A batch that takes longer, such as one that waits for a locked row, must not hold up all that have nothing to do with it. */
const SLOW_AFTER_MS = 500;
const MAX_SLOW_BATCHES = 3;

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes a batcher whose batches grow with the load: an idle one flushes at the end of the current turn of the
 * event loop, a busy one when a batch in flight comes back. No timer adds latency. A few that are slow do not count as
 * under way, so that others pass them.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let underWay = 0;
  let slow = 0;
  let scheduled = false;
  let drained: (() => void)[] = [];

  function schedule(): void {
    if (scheduled || waiting.length === 0 || underWay >= options.maxConcurrentBatches) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void flushNext();
    });
  }

  async function flushNext(): Promise<void> {
    const batch = waiting.slice(0, options.maxBatchSize);
    waiting = waiting.slice(options.maxBatchSize);
    const leave = enter();
    schedule();
    try {
      settle(batch, await options.flush(batch.map((entry) => entry.item)));
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
    leave();
    schedule();
    if (isIdle()) {
      for (const resolve of drained) resolve();
      drained = [];
    }
  }

  /** Counts a batch as under way, or as slow once it is, until the function that is answered is called. */
  function enter(): () => void {
    let isSlow = false;
    underWay += 1;
    const timer = setTimeout(() => {
      if (slow >= MAX_SLOW_BATCHES) return;
      isSlow = true;
      underWay -= 1;
      slow += 1;
      schedule();
    }, SLOW_AFTER_MS);
    return () => {
      clearTimeout(timer);
      if (isSlow) slow -= 1;
      else underWay -= 1;
    };
  }

  const isIdle = () => underWay + slow + waiting.length === 0;

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        schedule();
      });
    },
    drain() {
      if (isIdle()) return Promise.resolve();
      return new Promise((resolve) => drained.push(resolve));
    },
  };
}

function settle<Item, Result>(batch: Waiting<Item, Result>[], results: Result[]): void {
  if (results.length !== batch.length) {
    throw new Error(`The flush gave ${results.length} results for ${batch.length} items.`);
  }
  batch.forEach((entry, index) => {
    entry.resolve(results[index] as Result);
  });
}
