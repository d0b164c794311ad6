import { type Spread, spreadOf } from '../statistics/spread.ts';

/** Something that was to be reached, and what was measured. */
export interface Target {
  /** Such as `Accept, jobs/s: Accepted to limit`. */
  name: string;
  measured: Spread;
  bound: number;
  /** Whether more than the bound is better, or less. */
  wanted: 'at least' | 'at most';
  /** What the numbers are: `×` of a ratio, `ms`, `MB`. */
  unit: string;
}

/** The median decides. */
export function isReached({ measured, bound, wanted }: Target): boolean {
  return wanted === 'at least' ? measured.median >= bound : measured.median <= bound;
}

/** Sets one contender's rounds against another's, round by round: what slowed both down so cancels out. */
export function ratiosOf(ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, number>): Spread {
  const ratios = [...ours].flatMap(([round, value]) => {
    const other = theirs.get(round);
    return other === undefined ? [] : [value / other];
  });
  return spreadOf(ratios);
}
