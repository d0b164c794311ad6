import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBatcher, ForgoneError } from './batcher.ts';

/** A flush that the test ends by hand. */
function controlledFlush() {
  const batches: { items: number[]; end: (results?: number[]) => void; fail: (error: Error) => void }[] = [];
  const flush = (items: number[]) =>
    new Promise<number[]>((resolve, reject) => {
      batches.push({
        items,
        end: (results = items.map((item) => item * 10)) => resolve(results),
        fail: reject,
      });
    });
  return { batches, flush };
}

test('items of one turn share a batch and each gets its own result', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 10, maxConcurrentBatches: 1, flush });
  const results = Promise.all([batcher.add(1), batcher.add(2), batcher.add(3)]);
  await turn();
  expect(batches.map((batch) => batch.items)).toEqual([[1, 2, 3]]);
  batches[0]?.end();
  expect(await results).toEqual([10, 20, 30]);
});

test('while all batches are under way, later items wait and go out together', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 2, maxConcurrentBatches: 1, flush });
  const results = Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
  for (const index of [0, 1, 2]) {
    await turn();
    expect(batches).toHaveLength(index + 1);
    batches[index]?.end();
    await turn();
  }
  expect(batches.map((batch) => batch.items)).toEqual([[1, 2], [3, 4], [5]]);
  expect(await results).toEqual([10, 20, 30, 40, 50]);
});

test('a few batches that hang hold up nobody else, and are waited for when the batcher is drained', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 1, maxConcurrentBatches: 1, flush });
  const results = Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
  let isDrained = false;
  const drained = batcher.drain().then(() => (isDrained = true));
  for (const underWay of [1, 2, 3, 4, 4]) {
    await turn();
    expect(batches).toHaveLength(underWay);
    vi.advanceTimersByTime(500);
  }
  batches[3]?.end();
  await turn();
  await turn();
  expect(batches).toHaveLength(5);
  batches[4]?.end();
  await turn();
  expect(isDrained).toBe(false);
  for (const batch of batches) batch.end();
  await drained;
  expect(await results).toEqual([10, 20, 30, 40, 50]);
});

test('a batch that fails rejects its own items and no others', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 1, maxConcurrentBatches: 2, flush });
  const bad = batcher.add(1);
  const good = batcher.add(2);
  await turn();
  await turn();
  batches[0]?.fail(new Error('refused'));
  batches[1]?.end();
  await expect(bad).rejects.toThrow('refused');
  expect(await good).toBe(20);
});

test('a flush that loses an item is an error, not a silent hang', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 5, maxConcurrentBatches: 1, flush });
  const results = Promise.allSettled([batcher.add(1), batcher.add(2)]);
  await turn();
  batches[0]?.end([10]);
  expect((await results).map((result) => result.status)).toEqual(['rejected', 'rejected']);
});

test('drain waits for everything that was added', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 1, maxConcurrentBatches: 1, flush });
  const results = Promise.all([batcher.add(1), batcher.add(2)]);
  let drained = false;
  const draining = batcher.drain().then(() => {
    drained = true;
  });
  await turn();
  batches[0]?.end();
  await turn();
  await turn();
  expect(drained).toBe(false);
  batches[1]?.end();
  await draining;
  await results;
});

test('a batch ends where its bytes would be too many, and a larger item goes alone', async () => {
  const { batches, flush } = controlledFlush();
  const bytes = { of: (item: number) => item, maxPerBatch: 10 };
  const batcher = createBatcher({ maxBatchSize: 3, maxConcurrentBatches: 9, bytes, flush });
  const results = Promise.all([4, 6, 1, 25, 9, 1, 1, 1, 1].map((item) => batcher.add(item)));
  for (const _ of Array(6)) await turn();
  expect(batches.map((batch) => batch.items)).toEqual([[4, 6], [1], [25], [9, 1], [1, 1, 1]]);
  for (const batch of batches) batch.end();
  expect(await results).toHaveLength(9);
});

test('what nobody wants any more when its turn comes is left out, and does not count', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 2, maxConcurrentBatches: 1, flush });
  const first = batcher.add(1, () => true);
  await turn();
  let isWanted = true;
  const forgone = Promise.allSettled([2, 3].map((item) => batcher.add(item, () => isWanted)));
  const rest = [4, 5].map((item) => batcher.add(item));
  const drained = batcher.drain();
  isWanted = false;
  batches[0]?.end();
  await turn();
  await turn();
  expect(batches.map((batch) => batch.items)).toEqual([[1], [4, 5]]);
  batches[1]?.end();
  expect(await Promise.all([first, ...rest])).toEqual([10, 40, 50]);
  const reason = expect.any(ForgoneError);
  expect(await forgone).toEqual(Array(2).fill({ status: 'rejected', reason }));
  await drained;
});

test('a batcher that has nothing left but what nobody wants is drained', async () => {
  const { batches, flush } = controlledFlush();
  const batcher = createBatcher({ maxBatchSize: 2, maxConcurrentBatches: 1, flush });
  const forgone = batcher.add(1, () => false);
  await Promise.all([expect(forgone).rejects.toThrow(ForgoneError), batcher.drain()]);
  expect(batches).toEqual([]);
});

test('after a timeout the halves of a batch are tried, until the items that cause it stand alone', async () => {
  const tried: number[][] = [];
  const flush = async (items: number[]) => {
    tried.push(items);
    if (items.includes(3)) throw new Error('timeout');
    return items;
  };
  const mustSplit = (error: unknown) => error instanceof Error && error.message === 'timeout';
  const batcher = createBatcher({ maxBatchSize: 10, maxConcurrentBatches: 1, mustSplit, flush });
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(tried).toEqual([[1, 2, 3, 4, 5], [1, 2, 3], [1, 2], [3], [4, 5]]);
});
