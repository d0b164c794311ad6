import { expect, test } from 'vitest';
import { compare } from './growth-part.ts';

const always = (value: number) => ({ median: value, min: value, max: value });

test.each([
  ['acceptPerSecond', 1_000, 900, 0.1],
  ['acceptPerSecond', 1_000, 1_100, -0.1],
  ['readP50Ms', 2, 3, 0.5],
  ['readP50Ms', 2, 1, -0.5],
] as const)('%s of %d that becomes %d is worse by %d', (figure, reference, grown, worseBy) => {
  expect(compare(figure, always(reference), always(grown)).worseBy).toBeCloseTo(worseBy, 9);
});
