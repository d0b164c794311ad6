import { expect, test } from 'vitest';
import { createReturnLine, wholeSeconds } from './return-line.ts';

test('those who are refused together come back one after the other, as fast as others are let in', () => {
  const line = createReturnLine();
  const returns = Array.from({ length: 100 }, () => line.nextInMs(5_000, 20));
  const apart = returns.map((at, place) => at - (returns[place - 1] ?? 0));
  expect(apart.every((ms) => Math.abs(ms - 50) < 1e-6)).toBe(true);
});

test('nobody before it opens, and those who have gone hold up nobody', () => {
  const line = createReturnLine();
  expect(line.nextInMs(0, 10, 3_000)).toBe(3_100);
  for (let refused = 0; refused < 50; refused += 1) line.nextInMs(0, 10);
  expect(line.nextInMs(60_000, 10)).toBe(100);
});

test('a line that stood while few were let in is as short as it turns out to be', () => {
  const line = createReturnLine();
  for (let refused = 0; refused < 100; refused += 1) line.nextInMs(0, 1);
  expect(line.nextInMs(10, 1_000)).toBeLessThan(100);
});

test('nobody for longer than is said', () => {
  const line = createReturnLine(10_000);
  expect(line.nextInMs(0, 0)).toBe(10_000);
  for (let refused = 0; refused < 1_000; refused += 1) line.nextInMs(0, 1);
  expect(line.nextInMs(0, 1)).toBe(10_000);
  expect(line.nextInMs(5_000, 1)).toBeLessThanOrEqual(6_000);
});

test('in whole seconds, too, those who were refused within seconds come back no closer together than others are let in', () => {
  const line = createReturnLine();
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const perSecond = 400;
  const returnsAtMs = Array.from({ length: 3 * 2 * perSecond }, (_, refused) => {
    const nowMs = (refused / (3 * perSecond)) * 1_000;
    return nowMs + wholeSeconds(line.nextInMs(nowMs, perSecond, 1_000), random) * 1_000;
  });
  for (let fromMs = 0; fromMs < 10_000; fromMs += 100) {
    const within = returnsAtMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000).length;
    expect(within / perSecond).toBeLessThan(1.2);
  }
});

test('nobody is told to come back at once', () => {
  const at = (ms: number, random: number) => wholeSeconds(ms, () => random);
  expect([at(0, 0), at(600, 0), at(600, 0.5), at(600, 0.99)]).toEqual([1, 1, 1, 3]);
});
