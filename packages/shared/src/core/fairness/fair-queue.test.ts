import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFairQueue, WaitedTooLongError } from './fair-queue.ts';

function setUp(options: Parameters<typeof createFairQueue>[0]) {
  const queue = createFairQueue(options);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (client: string, name: string) =>
    queue.run(client, async () => {
      begun.push(name);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.push(resolve);
      await promise;
    });
  const endNext = async () => {
    ends.shift()?.();
    await endOfTurn();
  };
  return { begun, ask, endNext };
}

test('a client that asks once has the next turn, however much another asked for before', async () => {
  const { begun, ask, endNext } = setUp({ concurrency: 1 });
  const all = [1, 2, 3, 4].map((n) => ask('a', `a${n}`));
  all.push(ask('b', 'b1'), ask('c', 'c1'));
  await endOfTurn();
  for (let left = all.length; left > 0; left -= 1) await endNext();
  await Promise.all(all);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'a4']);
});

test('no more than so many run at once, and one that fails gives its place back', async () => {
  const queue = createFairQueue({ concurrency: 2 });
  let [running, most] = [0, 0];
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await endOfTurn();
    running -= 1;
    throw new Error('no');
  };
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => queue.run('a', work)));
  expect(all.every(({ status }) => status === 'rejected')).toBe(true);
  expect(most).toBe(2);
});

test('what was not begun in time is never begun, and its place goes to the next', async () => {
  const { begun, ask, endNext } = setUp({ concurrency: 1, maxWaitMs: 20 });
  const first = ask('a', 'a1');
  await expect(ask('a', 'a2')).rejects.toThrow(WaitedTooLongError);
  const third = ask('a', 'a3');
  await endNext();
  await endNext();
  await Promise.all([first, third]);
  expect(begun).toEqual(['a1', 'a3']);
});
