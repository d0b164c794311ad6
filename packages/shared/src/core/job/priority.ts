/** Names the priorities, the most urgent first; the ledger stores a priority as its place in this list. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;

export type Priority = (typeof PRIORITIES)[number];

export function priorityRank(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

export function priorityOfRank(rank: number): Priority {
  return PRIORITIES[rank] ?? 'normal';
}
