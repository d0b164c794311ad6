import { expect, test } from 'vitest';
import { createControlledDelay } from './controlled-delay.ts';

const BOUNDS = { mostMs: 100, strictMs: 20 };

interface Served {
  atMs: number;
  waitedMs: number;
  isLate: boolean;
}

/** Serves what comes, one after the other: each takes `serviceMs`, and who is late hardly anything. */
function serve(arrivalsMs: number[], serviceMs: (nowMs: number) => number): Served[] {
  const delay = createControlledDelay(BOUNDS);
  let nowMs = 0;
  return arrivalsMs.map((arrivedMs) => {
    nowMs = Math.max(nowMs, arrivedMs);
    const served = {
      atMs: nowMs,
      waitedMs: nowMs - arrivedMs,
      isLate: delay.isLate(nowMs - arrivedMs, nowMs),
    };
    nowMs += served.isLate ? 0.002 : serviceMs(nowMs);
    return served;
  });
}

/** So many a second, evenly, from one second to another. */
const arrivals = (perSecond: number, fromS: number, toS: number) =>
  Array.from(
    { length: perSecond * (toS - fromS) },
    (_, place) => fromS * 1_000 + (place * 1_000) / perSecond,
  );

const inTime = (served: Served[]) => served.filter(({ isLate }) => !isLate);
const waitOf = (served: Served[], part: number) =>
  inTime(served)
    .map(({ waitedMs }) => waitedMs)
    .sort((one, other) => one - other)[Math.floor(inTime(served).length * part)] ?? 0;

test('nobody is late while there is enough time, nor in a burst that is soon over', () => {
  expect(serve(arrivals(900, 0, 5), () => 1).some(({ isLate }) => isLate)).toBe(false);
  const burst = [...arrivals(500, 0, 1), ...Array.from({ length: 250 }, () => 1_000), ...arrivals(500, 1, 2)];
  expect(serve(burst, () => 1).some(({ isLate }) => isLate)).toBe(false);
});

test.each([1.5, 2, 4, 8])(
  'of %d times as much as can be done all is done that can, and what is served has waited for little',
  (times) => {
    const served = serve(arrivals(1_000 * times, 0, 40), () => 1);
    expect(inTime(served).length).toBeGreaterThan(38_000);
    expect(waitOf(served, 1)).toBeLessThanOrEqual(650);
    const later = served.filter(({ atMs }) => atMs > 20_000);
    expect(waitOf(later, 0.95)).toBeLessThanOrEqual(21);
  },
);

test('when it is over nobody is late any more', () => {
  const served = serve([...arrivals(4_000, 0, 3), ...arrivals(800, 3, 8)], () => 1);
  const after = served.filter(({ atMs }) => atMs > 3_700);
  expect(after.some(({ isLate }) => isLate)).toBe(false);
  expect(waitOf(after, 0.99)).toBeLessThan(2);
});

/** Work of a millisecond each, and once a pause. */
function onceAPause(): (nowMs: number) => number {
  let wasThere = false;
  return (nowMs) => {
    if (wasThere || nowMs < 1_000) return 1;
    wasThere = true;
    return 150;
  };
}

test('nobody is refused because there was a pause', () => {
  expect(serve(arrivals(700, 0, 4), onceAPause()).some(({ isLate }) => isLate)).toBe(false);
});

test('nor is a crowd in which each comes again when it is answered', () => {
  const delay = createControlledDelay(BOUNDS);
  const waiting = Array.from({ length: 40 }, () => 0);
  const workMs = onceAPause();
  let nowMs = 0;
  const lateAtMs: number[] = [];
  while (nowMs < 10_000) {
    const since = waiting.shift() ?? nowMs;
    if (delay.isLate(nowMs - since, nowMs)) lateAtMs.push(nowMs);
    nowMs += workMs(nowMs);
    waiting.push(nowMs);
  }
  expect(lateAtMs).toEqual([]);
});
