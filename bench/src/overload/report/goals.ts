import type { Target } from '../../report/target.ts';

/** Sets what was measured once beside what it is to be at least. */
export function atLeast(name: string, value: number, bound: number, unit: string): Target {
  return { name, measured: { median: value, min: value, max: value }, bound, wanted: 'at least', unit };
}

/** Sets what was measured once beside what it may be at most. */
export function atMost(name: string, value: number, bound: number, unit: string): Target {
  return { ...atLeast(name, value, bound, unit), wanted: 'at most' };
}
