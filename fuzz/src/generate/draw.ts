import { createHash } from 'node:crypto';
import { type Arbitrary, Random } from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** One value in so many leans to the extremes of its kind. */
const BIAS = 4;

/** Draws the same from the same seed. What is drawn from a list takes one number, however long the list is. */
export interface Draw {
  value<T>(arbitrary: Arbitrary<T>): T;
  /** Throws on an empty list. */
  pick<T>(list: readonly T[]): T;
  /** From the beginning of a list more often than from its end; `undefined` of an empty one. */
  pickEarly<T>(list: readonly T[]): T | undefined;
  /** True in this part of all cases. */
  chance(part: number): boolean;
  /** Draws on its own: takes one number of this, however many are drawn there. */
  fork(): Draw;
}

export function createDraw(seed: string): Draw {
  return drawFrom(createHash('sha256').update(seed).digest().readInt32BE());
}

function drawFrom(seed: number): Draw {
  const random = new Random(xoroshiro128plus(seed));
  return {
    value: (arbitrary) => arbitrary.generate(random, BIAS).value,
    pick<T>(list: readonly T[]) {
      if (list.length === 0) throw new RangeError('There is nothing to pick from.');
      return list[Math.floor(random.nextDouble() * list.length)] as T;
    },
    pickEarly: (list) => list[Math.floor(random.nextDouble() ** 2 * list.length)],
    chance: (part) => random.nextDouble() < part,
    fork: () => drawFrom(random.nextInt()),
  };
}
