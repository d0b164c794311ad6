import type { FindFaults } from './faults.ts';

/** How many values a body may hold for all its faults to be looked for. */
const MAX_VALUES = 500;

/**
 * Makes a check whose cost is bound to the size of the value: all faults are looked for in a small one, and in a large one
 * only the first, as a megabyte of wrong values would have hundreds of thousands. `findFirst` must stop there.
 */
export function boundedCheck(findFirst: FindFaults, compileFindAll: () => FindFaults): FindFaults {
  let findAll: FindFaults | undefined;
  return (value) => {
    const first = findFirst(value);
    if (first.length === 0 || countValues(value, MAX_VALUES) > MAX_VALUES) return first;
    findAll ??= compileFindAll();
    return findAll(value);
  };
}

/** Counts what a parsed value consists of, itself included, and stops when there are more than `most`. */
function countValues(value: unknown, most: number): number {
  let count = 1;
  if (typeof value !== 'object' || value === null) return count;
  // Nothing is listed of an array, which would take as long as it is.
  const items = Array.isArray(value) ? value : Object.values(value);
  for (const item of items) {
    if (count > most) break;
    count += countValues(item, most - count);
  }
  return count;
}
