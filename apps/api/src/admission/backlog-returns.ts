import type { Arrival, FullBacklog } from '@accepted/shared/core/overload/backlog-gauge';
import { createPace, type Pace } from '@accepted/shared/core/overload/pace';
import { createReturnLine, type ReturnLine, wholeSeconds } from '@accepted/shared/core/overload/return-line';
import { LRUCache } from 'lru-cache';

const BOUNDS = ['queue', 'tenant', 'tenant_in_queue'] as const satisfies FullBacklog[];
/** Bounds at which somebody was refused of late. */
const MOST_LINES = 1_000;

/** Tells those who are refused at a bound when to come back: one after the other, as fast as this process lets others in. */
export interface BacklogReturns {
  letIn(arrival: Arrival): void;
  /**
   * In how many seconds the next one may come back, where there will be no room for `closedSeconds` and so many are done a second;
   * `undefined`: nobody knows.
   */
  nextInSeconds(
    bound: FullBacklog,
    arrival: Arrival,
    drain: { closedSeconds: number; perSecond: number | undefined },
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
      // This process lets in its part of what is done. In a moment it may be more, as room is found all at once.
      const own = line.letIn.perSecond(nowMs) || Number.POSITIVE_INFINITY;
      const pace = Math.min(own, perSecond ?? (Number.isFinite(own) ? own : 1));
      return wholeSeconds(line.returns.nextInMs(nowMs, pace, closedSeconds * 1_000));
    },
  };
}
