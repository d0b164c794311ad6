import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBatcher } from './batcher.ts';

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
