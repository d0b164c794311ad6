/** Counts what came back, by a word for each kind. */
export interface Tally {
  count(kind: string | number): void;
  /** How many came back of these kinds together. */
  of(kinds: readonly (string | number)[]): number;
  /** `202 × 12, 503 × 3`, the most frequent first. */
  text(): string;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  return {
    count(kind) {
      counts.set(String(kind), (counts.get(String(kind)) ?? 0) + 1);
    },
    of: (kinds) => kinds.reduce<number>((sum, kind) => sum + (counts.get(String(kind)) ?? 0), 0),
    text() {
      const sorted = [...counts].sort(([, a], [, b]) => b - a);
      return sorted.map(([kind, count]) => `${kind} × ${count.toLocaleString('en')}`).join(', ') || 'nothing';
    },
  };
}
