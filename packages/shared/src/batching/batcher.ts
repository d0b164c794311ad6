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

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes a batcher whose batches grow with the load: an idle one flushes at the end of the current turn of the
 * event loop, a busy one when a batch in flight comes back. No timer adds latency.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let underWay = 0;
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
    underWay += 1;
    schedule();
    try {
      settle(batch, await options.flush(batch.map((entry) => entry.item)));
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
    underWay -= 1;
    schedule();
    if (underWay === 0 && waiting.length === 0) {
      for (const resolve of drained) resolve();
      drained = [];
    }
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        schedule();
      });
    },
    drain() {
      if (underWay === 0 && waiting.length === 0) return Promise.resolve();
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
