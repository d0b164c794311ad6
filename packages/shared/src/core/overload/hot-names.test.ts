import { expect, test } from 'vitest';
import { createHotNames, type HotNames } from './hot-names.ts';

const SECOND_MS = 1_000;

/** Has names come evenly, each so often a second. */
function come(hot: HotNames, perSecond: Record<string, number>, { fromMs = 0, seconds = 60 } = {}): number {
  for (let ms = 0; ms < seconds * SECOND_MS; ms += 10)
    for (const [name, rate] of Object.entries(perSecond)) {
      const due = (at: number) => Math.floor((at / SECOND_MS) * rate);
      for (let n = due(ms); n < due(ms + 10); n += 1) hot.note(name, fromMs + ms);
    }
  return fromMs + seconds * SECOND_MS;
}

const rateOf = (hot: HotNames, name: string, nowMs: number) =>
  hot.rates(nowMs).find((one) => one.name === name)?.perSecond ?? 0;

test.each([1, 3, 17, 25, 61])('after %d s a rate is what it is', (seconds) => {
  const hot = createHotNames(0);
  const nowMs = come(hot, { much: 40, little: 5 }, { seconds });
  expect(rateOf(hot, 'much', nowMs)).toBeCloseTo(40, 0);
  expect(rateOf(hot, 'little', nowMs)).toBeCloseTo(5, 0);
});

test('who has stopped is forgotten, and who comes anew is there within seconds', () => {
  const hot = createHotNames(0);
  const stoppedAtMs = come(hot, { before: 100 });
  const nowMs = come(hot, { after: 100 }, { fromMs: stoppedAtMs, seconds: 20 });
  expect(rateOf(hot, 'after', nowMs)).toBeGreaterThan(60);
  expect(rateOf(hot, 'before', nowMs)).toBeLessThan(30);
  expect(rateOf(hot, 'before', nowMs + 3_600 * SECOND_MS)).toBeCloseTo(0);
});

test('among very many that come seldom only who comes often is hot', () => {
  const hot = createHotNames(0);
  let other = 0;
  for (let ms = 0; ms < 30 * SECOND_MS; ms += 2) {
    hot.note(`other ${other++}`, ms);
    if (ms % 10 === 0) hot.note('often', ms);
  }
  const rates = hot.rates(30 * SECOND_MS).toSorted((one, next) => next.perSecond - one.perSecond);
  expect(rates[0]).toMatchObject({ name: 'often' });
  expect(rates[0]?.perSecond).toBeGreaterThan(100 - 600 / 100);
  expect(rates[0]?.perSecond).toBeLessThanOrEqual(100);
  expect(rates[1]?.perSecond).toBeLessThan(1);
});

test('what came in the first moment is no rate of thousands', () => {
  const hot = createHotNames(0);
  hot.note('first', 1);
  expect(rateOf(hot, 'first', 2)).toBe(1);
});
