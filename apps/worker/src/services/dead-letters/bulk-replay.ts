import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  advanceBulkReplay,
  listDueBulkReplays,
  postponeBulkReplay,
} from '@accepted/shared/ledger/dead-letters/advance-bulk-replay';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

const AT_ONCE = 20;
const IDLE_INTERVAL_MS = 500;
const AFTER_FAILURE_MS = 5_000;
/** Shorter than the shortest step, so that the rate that was asked for is reached. */
const BUSY_INTERVAL_MS = 50;
/** For how long after its last step a bulk replay is likely to have another one soon. */
const BUSY_FOR_MS = 1_000;

/**
 * Starts the loop that carries bulk replays out. Where one stands is in the ledger alone, and each step is one
 * transaction: any number of processes may run this loop, and none of them is missed when it dies.
 */
export function startBulkReplays(options: {
  db: Database;
  service?: OneService | undefined;
  /** Told when jobs of this queue were put back to `queued`. */
  queueHasWork: (queue: string) => void;
  onError: (error: unknown) => void;
}): Loop {
  const { db, service, queueHasWork, onError } = options;
  let busyUntil = 0;

  async function runOnce(): Promise<number> {
    const due = await listDueBulkReplays(db, AT_ONCE);
    await eachAlone(due, advance, giveTime);
    if (due.length > 0) busyUntil = performance.now() + BUSY_FOR_MS;
    return performance.now() < busyUntil ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS;
  }

  async function advance(id: string): Promise<void> {
    for (const queue of await advanceBulkReplay(db, id)) queueHasWork(queue);
  }

  /** One that fails would be among the first that are due for ever. */
  async function giveTime(error: unknown, id: string): Promise<void> {
    onError(error);
    await postponeBulkReplay(db, id, AFTER_FAILURE_MS).catch(onError);
  }

  return startLoop({ runOnce, retryAfterMs: IDLE_INTERVAL_MS, onError, service });
}
