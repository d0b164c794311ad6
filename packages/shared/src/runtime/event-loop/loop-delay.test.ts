import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { overBoth, watchLoop } from './loop-delay.ts';

function blockFor(ms: number): void {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

const TURNS_MS = 700;
const HELD_UP_MS = 800;

/** Until the library has had its turn. */
const turn = () => delay(120);

test('a loop that was held up once is late for what came in that time, and no more afterwards', async () => {
  const loop = watchLoop();
  await turn();
  loop.read();
  await delay(TURNS_MS);
  blockFor(HELD_UP_MS);
  await turn();
  const { lateMs, overMs } = loop.read();
  // Half of the time whatever came waited for 400 ms on average.
  expect(lateMs).toBeGreaterThan(120);
  expect(lateMs).toBeLessThan(overMs / 2);
  expect(overMs).toBeGreaterThan(TURNS_MS + HELD_UP_MS);
  await turn();
  expect(loop.read().lateMs).toBeLessThan(lateMs / 2);
  loop.stop();
});

test('the delay over two times is that of the longer one rather', () => {
  expect(overBoth({ lateMs: 100, overMs: 3_000 }, { lateMs: 500, overMs: 1_000 })).toEqual({
    lateMs: 200,
    overMs: 4_000,
  });
  expect(overBoth({ lateMs: 0, overMs: 0 }, { lateMs: 0, overMs: 0 })).toEqual({ lateMs: 0, overMs: 0 });
});
