import type { RunFacts } from '../logs.ts';

/** What became of one invariant in one run. */
export interface Verdict {
  /** `I1` … `I9`, or a word for what is checked of the run itself. */
  id: string;
  /** The invariant, as a sentence. */
  holds: string;
  figures: Record<string, number>;
  /** One sentence each; the run is green when there is none. */
  violations: string[];
}

/** A small run may be too short for some proofs; a larger one that has not tried an invariant must not pass for green. */
export function mustProve({ size }: Pick<RunFacts, 'size'>): boolean {
  return size !== 'small';
}

/** Groups things by a key, in the order of their coming. */
export function groupBy<Thing>(
  things: Iterable<Thing>,
  keyOf: (thing: Thing) => string,
): Map<string, Thing[]> {
  const groups = new Map<string, Thing[]>();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group) group.push(thing);
    else groups.set(keyOf(thing), [thing]);
  }
  return groups;
}

/** Answers the value below which `share` (0 to 1) of the values are, by nearest rank; 0 when there are none. */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
