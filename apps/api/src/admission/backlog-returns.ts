import type { Arrival, FullBacklog } from '@accepted/shared/core/overload/backlog-gauge';
import { createPace, type Pace } from '@accepted/shared/core/overload/pace';
import { createReturnLine, type ReturnLine } from '@accepted/shared/core/overload/return-line';
import { LRUCache } from 'lru-cache';

const BOUNDS = ['queue', 'tenant', 'tenant_in_queue'] as const satisfies FullBacklog[];
/** Bounds at which somebody was refused of late. */
const MOST_LINES = 1_000;

/** Tells those who are refused at a bound when to come back: one after the other, as fast as this process lets others in. */
export interface BacklogReturns {
  letIn(arrival: Arrival): void;
  /** In how many seconds the next one may come back, where there will be no room for `closedSeconds` and so many are done a second. */
  nextInSeconds(
    bound: FullBacklog,
    arrival: Arrival,
    drain: { closedSeconds: number; perSecond: number },
  ): number;
}

export function createBacklogReturns(): BacklogReturns {
  const lines = new LRUCache<string, { returns: ReturnLine; letIn: Pace }>({ max: MOST_LINES });
  const keyOf = (bound: FullBacklog, { tenantId, queue }: Arrival) =>
    bound === 'queue' ? queue : `${bound === 'tenant' ? '' : queue} ${tenantId}`;

  return {
    letIn(arrival) {
      if (lines.size === 0) return;
      const nowMs = performance.now();
      for (const bound of BOUNDS) lines.get(keyOf(bound, arrival))?.letIn.count(nowMs);
    },
    nextInSeconds(bound, arrival, { closedSeconds, perSecond }) {
      const key = keyOf(bound, arrival);
      const line = lines.get(key) ?? { returns: createReturnLine(), letIn: createPace() };
      lines.set(key, line);
      const nowMs = performance.now();
      // Where nobody was let in of late it is not known how many of them this process may.
      const pace = line.letIn.perSecond(nowMs) || perSecond;
      return Math.ceil(line.returns.nextInMs(nowMs, pace, closedSeconds * 1_000) / 1_000);
    },
  };
}
