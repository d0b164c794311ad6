import type { LaneWindow, QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { type DispatchTurn, dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';

/**
 * Now and then the queue is read whole, whatever was told of it: after a failover that lost transactions, those of the new
 * server may have the numbers of lost ones. Where that takes long it is done more seldom.
 */
const READ_WHOLE_EVERY_MS = 10_000;
const MOST_TIME_FOR_IT = 1 / 50;

/** A queue as its dispatcher knows it from turn to turn. */
export interface KnownQueue {
  takeTurn(windows: LaneWindow[], quickTypes: readonly string[]): Promise<DispatchTurn>;
}

export function createKnownQueue(db: Database, queue: string): KnownQueue {
  let known: QueuePicture | undefined;
  let goodUntilMs = Number.NEGATIVE_INFINITY;

  async function readWhole(): Promise<QueuePicture> {
    const beganMs = performance.now();
    const picture = await surveyQueue(db, queue);
    const endedMs = performance.now();
    goodUntilMs = endedMs + Math.max(READ_WHOLE_EVERY_MS, (endedMs - beganMs) / MOST_TIME_FOR_IT);
    return picture;
  }

  return {
    async takeTurn(windows, quickTypes) {
      const picture = known && performance.now() < goodUntilMs ? known : await readWhole();
      // A turn that fails may have put jobs into flight.
      known = undefined;
      const turn = await dispatchJobs(db, queue, windows, { quickTypes, picture });
      // Whoever took the turn has put jobs into flight that the picture does not show.
      if (!turn.lost) known = turn.picture;
      return turn;
    },
  };
}
