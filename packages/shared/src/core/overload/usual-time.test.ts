import { expect, test } from 'vitest';
import { createUsualTime } from './usual-time.ts';

const repeat = (count: number, ms: number) => Array.from({ length: count }, () => ms);

function usualOf(times: readonly number[], running: readonly number[] = []) {
  const usual = createUsualTime();
  for (const ms of times) usual.add(ms, 0);
  return usual.read(running, 0);
}

test('what takes the same each time usually takes that, and surely', () => {
  const { count, ms, surelyMs } = usualOf(repeat(40, 20));
  expect(count).toBe(40);
  expect(ms).toBeCloseTo(20);
  expect(surelyMs).toBeCloseTo(20);
});

test('one that takes a thousand times as long hardly counts, all that do count soon', () => {
  expect(usualOf([...repeat(40, 20), 20_000]).ms).toBeLessThan(30);
  expect(usualOf([...repeat(40, 20), ...repeat(40, 400)]).ms).toBeGreaterThan(200);
});

test('where some take a thousand times as long as others, little is sure of a few', () => {
  const mixed = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? 10 : 10_000));
  const { ms, surelyMs } = usualOf(mixed);
  expect(ms).toBeGreaterThan(100);
  expect(surelyMs).toBeLessThan(ms / 5);
});

test('those that run count as soon as they take longer than is usual, and not before', () => {
  expect(usualOf(repeat(40, 20), repeat(10, 10))).toEqual(usualOf(repeat(40, 20)));
  const { count, ms } = usualOf(repeat(40, 20), repeat(10, 60_000));
  expect(count).toBe(50);
  expect(ms).toBeGreaterThan(100);
  expect(usualOf([], repeat(3, 500)).ms).toBeCloseTo(500);
  expect(usualOf([])).toEqual({ count: 0, ms: 0, surelyMs: 0 });
});

test('what ended long ago, or was told to be forgotten, says nothing', () => {
  const usual = createUsualTime();
  usual.add(20, 0);
  expect(usual.read([], 300_000).count).toBe(1);
  expect(usual.read([], 300_001).count).toBe(0);
  usual.add(40, 400_000);
  expect(usual.read([], 400_000)).toMatchObject({ count: 1, ms: expect.closeTo(40) });
  usual.forget();
  expect(usual.read([], 400_000).count).toBe(0);
});
