import { expect, test } from 'vitest';
import { createSlowTries } from './slow-tries.ts';

const OPTIONS = { free: 3, windowMs: 60_000, everyMs: 100, maxWaiting: 2 };

test('after some wrong tries an address waits for each, no more than a few at once, and others do not', async () => {
  const tries = createSlowTries(OPTIONS);
  for (let wrong = 0; wrong < 3; wrong += 1) {
    expect(await tries.turn('a')).toBe(true);
    tries.wasWrong('a');
  }
  const startedAt = performance.now();
  const waiting = [tries.turn('a'), tries.turn('a')];
  expect(await tries.turn('a')).toBe(false);
  expect(await tries.turn('b')).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(100);
  expect(await Promise.all(waiting)).toEqual([true, true]);
  expect(performance.now() - startedAt).toBeGreaterThan(190);
  expect(await tries.turn('a')).toBe(true);
});

test('tries that were right count for nothing', async () => {
  const tries = createSlowTries(OPTIONS);
  for (let right = 0; right < 10; right += 1) expect(await tries.turn('a')).toBe(true);
});
