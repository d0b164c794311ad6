/** A name, and how often it came. */
export interface Tally {
  name: string;
  /** Never less than that. */
  count: number;
  /** By how much it may be too high: so often others may have come in its place. */
  error: number;
}

/**
 * Finds the names that come most in a stream of any number of them, in room for a few: Space-Saving, of A. Metwally, D. Agrawal and
 * A. El Abbadi, Efficient Computation of Frequent and Top-k Elements in Data Streams (ICDT 2005). A name without a place takes that of
 * the one that came least, and its count. With so many places no count is too high by more than that part of all that came, and
 * whoever came more often than that has a place.
 */
export interface SpaceSaving {
  add(name: string): void;
  /** Has all that came until now count so many times. */
  scale(factor: number): void;
  /** Those that have places. */
  tallies(): readonly Readonly<Tally>[];
}

export function createSpaceSaving(places: number): SpaceSaving {
  const byName = new Map<string, Tally>();
  const tallies: Tally[] = [];

  /** Looks at each place, so that a name that has one need not keep any order. */
  function leastTally(): Tally | undefined {
    let [least] = tallies;
    for (const tally of tallies) if (least && tally.count < least.count) least = tally;
    return least;
  }

  return {
    add(name) {
      const known = byName.get(name);
      if (known) {
        known.count += 1;
        return;
      }
      const least = tallies.length < places ? undefined : leastTally();
      const tally = least ?? { name, count: 0, error: 0 };
      if (least) byName.delete(least.name);
      else tallies.push(tally);
      byName.set(name, Object.assign(tally, { name, count: tally.count + 1, error: tally.count }));
    },
    scale(factor) {
      for (const tally of tallies) {
        tally.count *= factor;
        tally.error *= factor;
      }
    },
    tallies: () => tallies,
  };
}
