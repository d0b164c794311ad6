import { createDrainMeter } from '@accepted/shared/core/fairness/drain-meter';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { LaneAfterTurn } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { tellDrain } from '@accepted/shared/ledger/queues/drain';
import type { LiveLane } from '@accepted/shared/ledger/workers/workers';

/** Measures how fast a queue drains, and tells those who foresee waits. */
export interface DrainTeller {
  /** Sees how a turn found the lanes of a queue. */
  see(after: readonly LaneAfterTurn[], lanes: readonly LiveLane[]): void;
  /** Tells it once a second at most, while all handlers are busy. */
  tell(): Promise<void>;
}

const TELL_EVERY_MS = 1_000;

export function createDrainTeller(db: Database, queue: string): DrainTeller {
  const meter = createDrainMeter();
  /** How many jobs each lane had in flight. */
  let inFlightThen = new Map<string, number>();
  let toldAtMs = Number.NEGATIVE_INFINITY;

  return {
    see(after, lanes) {
      const inFlight = sum(after.map(({ inFlightBefore }) => inFlightBefore));
      // Of a lane that was not there before, or is not any more, nobody knows what ended.
      const ended = sum(
        after.map(({ buildId, inFlightBefore }) =>
          Math.max(0, (inFlightThen.get(buildId) ?? inFlightBefore) - inFlightBefore),
        ),
      );
      const slots = sum(lanes.map(({ concurrency }) => concurrency));
      meter.see({ ended, isBusy: inFlight >= slots }, performance.now());
      inFlightThen = new Map(
        after.map(({ buildId, inFlightBefore, dispatched }) => [buildId, inFlightBefore + dispatched.length]),
      );
    },
    async tell() {
      const perSecond = meter.perSecond();
      if (perSecond === undefined || performance.now() - toldAtMs < TELL_EVERY_MS) return;
      toldAtMs = performance.now();
      await tellDrain(db, queue, perSecond);
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
