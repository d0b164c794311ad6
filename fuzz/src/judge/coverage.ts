import type { Operation } from '../document/api-document.ts';

/** How the requests to one operation were answered. */
export interface OperationTally {
  id: string;
  requests: number;
  /** By status. */
  statuses: Record<string, number>;
  slowestMs: number;
}

export interface Coverage {
  count(operationId: string, status: number, ms: number): void;
  tallies(): OperationTally[];
  /** Those that were never answered with a status of this hundred. */
  without(hundred: 2 | 4): Operation[];
}

/** Counts answers by operation, to tell what was never reached. */
export function createCoverage(operations: readonly Operation[]): Coverage {
  const tallies = new Map<string, OperationTally>(
    operations.map(({ id }) => [id, { id, requests: 0, statuses: {}, slowestMs: 0 }]),
  );
  return {
    count(operationId, status, ms) {
      const tally = tallies.get(operationId);
      if (!tally) return;
      tally.requests += 1;
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      tally.slowestMs = Math.max(tally.slowestMs, ms);
    },
    tallies: () => [...tallies.values()],
    without: (hundred) =>
      operations.filter(({ id }) => {
        const statuses = Object.keys(tallies.get(id)?.statuses ?? {});
        return !statuses.some((status) => status.startsWith(String(hundred)));
      }),
  };
}
