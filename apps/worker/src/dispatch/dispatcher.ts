import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/database/connect';
import { dispatchJobs } from '@accepted/shared/database/dispatch-jobs';
import { liveCapacity } from '@accepted/shared/database/workers';
import { followWindow, refillInMs, type WindowState, windowSize } from '@accepted/shared/job/window';
import { addToEngine, type Engine } from '@accepted/shared/queue/engine';
import { type Loop, startLoop } from '../loop.ts';

/** A notification wakes the dispatcher; this is for those that got lost. */
const IDLE_POLL_MS = 500;
/** A turn that was another dispatcher's must not be tried again at once. */
const MIN_POLL_MS = 2;
const ENGINE_AWAY_POLL_MS = 200;
/** A busy queue rests after a turn, so that the next one is for more than the few jobs that came in meanwhile. */
const BUSY_PER_SECOND = 200;
const REST_MS = 5;
const CAPACITY_MAX_AGE_MS = 1_000;

export interface DispatcherOptions {
  db: Database;
  engine: Engine;
  queue: string;
  onError: (error: unknown) => void;
}

/**
 * Starts the dispatcher of one queue: the only writer of its jobs into the engine. Any number of them may run, in
 * any number of processes.
 */
export function startDispatcher({ db, engine, queue, onError }: DispatcherOptions): Loop {
  let capacity = { concurrency: 0, finishedPerSecond: 0, readAt: Number.NEGATIVE_INFINITY };
  let window: WindowState | undefined;

  async function refreshCapacity(): Promise<void> {
    capacity = { ...(await liveCapacity(db, queue)), readAt: performance.now() };
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return ENGINE_AWAY_POLL_MS;
    if (capacity.concurrency === 0) await refreshCapacity();
    // Heartbeats tell of all workers, but seconds later; what leaves the window tells at once.
    const rate = Math.max(capacity.finishedPerSecond, window?.claimedPerSecond ?? 0);
    const size = windowSize(capacity.concurrency, rate);
    if (size === 0) return IDLE_POLL_MS;
    const { jobs, waitingBefore, moreToDo } = await dispatchJobs(db, queue, size);
    // A process that dies here leaves jobs marked that the engine never got: the reconciler finds them.
    if (jobs.length > 0) await addToEngine(engine.queue(queue), jobs);
    window = followWindow(window, { waitingBefore, dispatched: jobs.length, atMs: performance.now() });
    // Only now, as a job that just came in must not wait for it.
    if (performance.now() - capacity.readAt > CAPACITY_MAX_AGE_MS) await refreshCapacity();
    if (window.claimedPerSecond > BUSY_PER_SECOND) await delay(REST_MS);
    return moreToDo ? Math.max(MIN_POLL_MS, refillInMs(window, size)) : IDLE_POLL_MS;
  }

  return startLoop({ runOnce, retryAfterMs: ENGINE_AWAY_POLL_MS, onError });
}
