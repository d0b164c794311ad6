import type { LaneWindow } from '@accepted/shared/core/fairness/queue-picture';
import { lookAgainInMs } from '@accepted/shared/core/fairness/tenant-share';
import {
  followWindow,
  refillInMs,
  slowWindowSize,
  type WindowState,
  windowSize,
} from '@accepted/shared/core/fairness/window';
import type { LaneAfterTurn } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import type { LiveLane } from '@accepted/shared/ledger/workers/workers';
import type { TypicalTimes } from './known-queue.ts';
import type { TenantShare } from './tenant-share.ts';

/** How many jobs go into the lanes of a queue, and how fast they leave. */
export interface LaneWindows {
  /** Answers what may be in flight through each lane. */
  of(lanes: readonly LiveLane[], typical: Pick<TypicalTimes, 'handlerMs' | 'slowMs'>): LaneWindow[];
  /** Notes how a turn left a lane whose jobs were delivered just now. */
  follow(lane: LaneAfterTurn): void;
  /** In how many milliseconds the first of the full lanes has room: one that idles must not have a busy one looked at all the time. */
  nextTurnInMs(
    after: readonly LaneAfterTurn[],
    lanes: readonly LiveLane[],
    windows: readonly LaneWindow[],
  ): number;
  endedPerSecond(): number;
  keepOnly(buildIds: readonly string[]): void;
}

export function createLaneWindows({ mostInFlight }: Pick<TenantShare, 'mostInFlight'>): LaneWindows {
  const states = new Map<string, WindowState>();

  /** Heartbeats tell of all workers, but seconds later; what leaves flight tells at once. */
  function sizeOf({ buildId, concurrency, finishedPerSecond }: LiveLane): number {
    return windowSize(concurrency, Math.max(finishedPerSecond, states.get(buildId)?.endedPerSecond ?? 0));
  }

  return {
    of: (lanes, { handlerMs, slowMs }) =>
      lanes.map((lane) => ({
        buildId: lane.buildId,
        size: sizeOf(lane),
        concurrency: lane.concurrency,
        mostSlow: slowWindowSize(lane.concurrencyWithDraining, slowMs, lookAgainInMs(slowMs)),
        mostPerTenant: mostInFlight(lane.concurrency, handlerMs),
      })),
    follow({ buildId, inFlightBefore, dispatched }) {
      const now = { inFlightBefore, dispatched: dispatched.length, atMs: performance.now() };
      states.set(buildId, followWindow(states.get(buildId), now));
    },
    nextTurnInMs(after, lanes, windows) {
      const full = after.filter(({ isFull }) => isFull);
      const waits = (full.length > 0 ? full : after).map(({ buildId }) => {
        const state = states.get(buildId);
        const size = windows.find((window) => window.buildId === buildId)?.size ?? 0;
        const concurrency = lanes.find((lane) => lane.buildId === buildId)?.concurrency ?? 0;
        return state ? refillInMs(state, { size, concurrency }) : 0;
      });
      return Math.min(...waits);
    },
    endedPerSecond: () => states.values().reduce((sum, { endedPerSecond }) => sum + endedPerSecond, 0),
    keepOnly(buildIds) {
      for (const buildId of states.keys()) if (!buildIds.includes(buildId)) states.delete(buildId);
    },
  };
}
