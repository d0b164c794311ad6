import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSharedReads } from './shared-reads.ts';

/** Reads that answer, when they are let go, how many were begun before them. */
function setUp(concurrency = 10) {
  const gates: PromiseWithResolvers<void>[] = [];
  const begun: string[] = [];
  const shared = createSharedReads(async (key) => {
    const number = begun.push(key);
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return number;
  }, concurrency);
  return { shared, begun, gates };
}

test('a crowd that asks for one key costs two reads, and nobody gets what was read before he asked', async () => {
  const { shared, begun, gates } = setUp();
  const first = shared.read('a');
  const crowd = Array.from({ length: 1_000 }, () => shared.read('a'));
  await endOfTurn();
  expect(begun).toEqual(['a']);
  gates[0]?.resolve();
  expect(await first).toBe(1);
  await endOfTurn();
  gates[1]?.resolve();
  expect(new Set(await Promise.all(crowd))).toEqual(new Set([2]));
  expect(begun).toEqual(['a', 'a']);

  const later = shared.read('a');
  gates[2]?.resolve();
  await endOfTurn();
  gates[2]?.resolve();
  expect(await later).toBe(3);
});

test('a read that fails fails those who share it, and no later one', async () => {
  let failing = true;
  const shared = createSharedReads(async () => {
    if (failing) throw new Error('gone');
    return 'there';
  }, 1);
  const [one, two] = [shared.read('a'), shared.read('a')];
  await expect(one).rejects.toThrow('gone');
  await expect(two).rejects.toThrow('gone');
  failing = false;
  expect(await shared.read('a')).toBe('there');
});

test('of different keys only so many are read at once', async () => {
  const { shared, begun, gates } = setUp(2);
  const all = ['a', 'b', 'c'].map((key) => shared.read(key));
  await endOfTurn();
  expect(begun).toEqual(['a', 'b']);
  gates[0]?.resolve();
  await endOfTurn();
  expect(begun).toEqual(['a', 'b', 'c']);
  for (const gate of gates) gate.resolve();
  await Promise.all(all);
});
