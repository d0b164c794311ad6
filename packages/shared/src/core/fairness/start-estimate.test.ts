import { expect, test } from 'vitest';
import { estimateStart } from './start-estimate.ts';

test('the one that is next starts at once, and others when those before them have started', () => {
  expect(estimateStart(0, 10).startsInMs).toBe(0);
  expect(estimateStart(50, 10).startsInMs).toBe(5_000);
});

/** Starts that come at random are an exponential time apart: the percentile of the first is known, those of later ones are drawn. */
test.each([
  [0, 10, (-Math.log(0.1) / 10) * 1_000],
  [4, 10, drawn90(5, 10)],
  [99, 25, drawn90(100, 25)],
])('nine of ten with %i before them at %i a second have started by p90', (ahead, perSecond, expectedMs) => {
  const { p90Ms } = estimateStart(ahead, perSecond);
  expect(Math.abs(p90Ms / expectedMs - 1)).toBeLessThan(0.03);
});

function drawn90(starts: number, perSecond: number): number {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const times = Array.from({ length: 20_000 }, () =>
    Array.from({ length: starts }, () => -Math.log(random()) / perSecond).reduce(
      (sum, time) => sum + time,
      0,
    ),
  );
  return (times.toSorted((one, other) => one - other)[18_000] ?? 0) * 1_000;
}
