/**
 * Puts items in another order each round, so that none always comes first, or always after the same one's leftovers.
 * Rounds count from 1.
 */
export function rotate<Item>(items: readonly Item[], round: number): Item[] {
  const from = (round - 1) % Math.max(1, items.length);
  return [...items.slice(from), ...items.slice(0, from)];
}
