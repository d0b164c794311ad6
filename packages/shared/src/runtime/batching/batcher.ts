/** Collects items that arrive together and hands them to `flush` as one batch. */
export interface Batcher<Item, Result> {
  /**
   * Resolves with this item's result; rejects with the error of its batch, or with `ForgoneError` when its batch was
   * formed after `isWanted` had come to answer `false`: then nothing was done for it.
   */
  add(item: Item, isWanted?: () => boolean): Promise<Result>;
  /** Resolves when everything that was added so far has been flushed. */
  drain(): Promise<void>;
}

export interface BatcherOptions<Item, Result> {
  maxBatchSize: number;
  /** Where items differ in size: a batch has at most `maxPerBatch` bytes, or is one item that is larger by itself. */
  bytes?: { of: (item: Item) => number; maxPerBatch: number };
  /** After such an error the halves of a batch are tried, one after the other, down to single items. */
  mustSplit?: (error: unknown) => boolean;
  /** While this many batches are under way, further items wait and so form larger batches. */
  maxConcurrentBatches: number;
  /** Must give one result per item, in the order of the items. */
  flush: (items: Item[]) => Promise<Result[]>;
}

/** A batch that takes longer, such as one that waits for a locked row, must not hold up all that have nothing to do with it. */
const SLOW_AFTER_MS = 500;
const MAX_SLOW_BATCHES = 3;

/** Says that nobody wanted the result any more when the item's turn came. */
export class ForgoneError extends Error {
  override name = 'ForgoneError';
}

interface Waiting<Item, Result> {
  item: Item;
  isWanted: (() => boolean) | undefined;
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
    const { batch, rest } = takeBatch(waiting, options);
    waiting = rest;
    const leave = enter();
    schedule();
    if (batch.length > 0) await flushBatch(batch, options);
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
    add(item, isWanted) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, isWanted, resolve, reject });
        schedule();
      });
    },
    drain() {
      if (isIdle()) return Promise.resolve();
      return new Promise((resolve) => drained.push(resolve));
    },
  };
}

/** Takes the oldest items that fit together, and lets go of those that nobody wants any more. */
function takeBatch<Item, Result>(
  waiting: Waiting<Item, Result>[],
  { maxBatchSize, bytes }: BatcherOptions<Item, Result>,
): { batch: Waiting<Item, Result>[]; rest: Waiting<Item, Result>[] } {
  const batch: Waiting<Item, Result>[] = [];
  let bytesLeft = bytes?.maxPerBatch ?? 0;
  let taken = 0;
  for (const entry of waiting) {
    if (entry.isWanted?.() === false) entry.reject(new ForgoneError());
    else {
      bytesLeft -= bytes?.of(entry.item) ?? 0;
      if (batch.length > 0 && (bytesLeft < 0 || batch.length === maxBatchSize)) break;
      batch.push(entry);
    }
    taken += 1;
  }
  return { batch, rest: waiting.slice(taken) };
}

async function flushBatch<Item, Result>(
  batch: Waiting<Item, Result>[],
  options: BatcherOptions<Item, Result>,
): Promise<void> {
  try {
    settle(batch, await options.flush(batch.map((entry) => entry.item)));
  } catch (error) {
    if (batch.length > 1 && options.mustSplit?.(error)) return await flushHalves(batch, options);
    for (const entry of batch) entry.reject(error);
  }
}

async function flushHalves<Item, Result>(
  batch: Waiting<Item, Result>[],
  options: BatcherOptions<Item, Result>,
): Promise<void> {
  const middle = Math.ceil(batch.length / 2);
  await flushBatch(batch.slice(0, middle), options);
  await flushBatch(batch.slice(middle), options);
}

function settle<Item, Result>(batch: Waiting<Item, Result>[], results: Result[]): void {
  if (results.length !== batch.length) {
    throw new Error(`The flush gave ${results.length} results for ${batch.length} items.`);
  }
  batch.forEach((entry, index) => {
    entry.resolve(results[index] as Result);
  });
}
