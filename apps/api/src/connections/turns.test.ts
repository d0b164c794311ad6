import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const FOREVER_MS = 1e9;

async function emptied(begun: string[], count: number): Promise<void> {
  while (begun.length < count) await endOfTurn();
}

test('while there are few, each begins at once', () => {
  const turns = createTurns({ ms: FOREVER_MS, count: 3 });
  const begun: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) turns.take('a', () => begun.push(name));
  expect(begun).toEqual(['a', 'b', 'c']);
});

test('who comes behind a crowd of another has the next turn', async () => {
  const turns = createTurns({ ms: FOREVER_MS, count: 10 });
  const begun: string[] = [];
  for (let n = 0; n < 1_000; n += 1) turns.take('crowd', () => begun.push('crowd'));
  turns.take('one', () => begun.push('one'));
  await emptied(begun, 1_001);
  expect(begun.indexOf('one')).toBeLessThanOrEqual(11);
});

test('between slices the event loop does what else there is', async () => {
  const turns = createTurns({ ms: FOREVER_MS, count: 10 });
  const begun: string[] = [];
  for (let n = 0; n < 100; n += 1) turns.take('crowd', () => begun.push('x'));
  const seen: number[] = [];
  while (begun.length < 100) {
    await endOfTurn();
    seen.push(begun.length);
  }
  expect(seen.length).toBeGreaterThan(8);
});

test('what takes long uses up its slice', async () => {
  const turns = createTurns({ ms: 2, count: 1_000 });
  const begun: string[] = [];
  const spin = () => {
    const until = performance.now() + 5;
    while (performance.now() < until);
    begun.push('spun');
  };
  turns.take('a', spin);
  turns.take('a', spin);
  expect(begun).toHaveLength(1);
  await emptied(begun, 2);
});
