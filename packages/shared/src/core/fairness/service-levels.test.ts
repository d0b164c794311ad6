import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createServiceLevels } from './service-levels.ts';

const anyDemand = fc.record({
  weight: fc.double({ min: 0.25, max: 4, noNaN: true }),
  jobs: fc.integer({ min: 0, max: 300 }),
  perStart: fc.double({ min: 0, max: 0.6, noNaN: true }),
});

test('at any level as many have been started as all have had by then: their share, or all that has come of them', () => {
  fc.assert(
    fc.property(
      fc.array(anyDemand, { minLength: 1, maxLength: 12 }),
      fc.double({ min: 1, max: 2_000, noNaN: true }),
      (demands, started) => {
        const come = demands.reduce((sum, { jobs, perStart }) => sum + jobs + perStart * started, 0);
        fc.pre(come > started * 1.1);
        const level = createServiceLevels(demands).at(started);
        const had = demands.reduce(
          (sum, { weight, jobs, perStart }) => sum + Math.min(weight * level, jobs + perStart * started),
          0,
        );
        expect(had).toBeGreaterThan(started * 0.9);
        expect(had).toBeLessThan(started * 1.1);
      },
    ),
    { numRuns: 500, seed: 1 },
  );
});

test('by a level all have been started of whoever ended before, and of others their share', () => {
  const levels = createServiceLevels([
    { weight: 1, jobs: 10, perStart: 0.1 },
    { weight: 3, jobs: 1_000, perStart: 0 },
  ]);
  expect(levels.by(5)).toEqual({ jobs: 0, perStart: 0, weight: 4 });
  expect(levels.by(100)).toEqual({ jobs: 10, perStart: 0.1, weight: 3 });
  expect(levels.by(100, 0)).toEqual({ jobs: 0, perStart: 0, weight: 3 });
  expect(levels.by(100, 1)).toEqual({ jobs: 10, perStart: 0.1, weight: 0 });
});
