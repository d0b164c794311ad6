import { digitsOf } from './exact-numbers.ts';

/** Nothing that people write is deeper, and recursive code behind us must not run out of stack. */
export const MAX_DEPTH = 64;

/**
 * Finds the way to the first object or array of a parsed value that is nested deeper than `MAX_DEPTH` levels. It goes no
 * deeper itself, so it cannot be overrun; only what is found costs a list.
 */
export function pathTooDeep(value: unknown, levels = MAX_DEPTH): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  // A number that was kept as it is written is an object too.
  if (levels === 0) return digitsOf(value) === undefined ? [] : undefined;
  for (const key of Object.keys(value)) {
    const path = pathTooDeep((value as Record<string, unknown>)[key], levels - 1);
    if (path) return [key, ...path];
  }
  return undefined;
}
