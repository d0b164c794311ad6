import type { Database } from '@accepted/shared/database/connect';
import { dispatchJobs } from '@accepted/shared/database/dispatch-jobs';
import { liveCapacity } from '@accepted/shared/database/workers';
import { windowSize } from '@accepted/shared/job/window';
import { addToEngine, type Engine } from '@accepted/shared/queue/engine';
import { type Loop, startLoop } from '../loop.ts';

/** While there is more to dispatch than room, the window drains all the time and is looked at this often. */
const BUSY_POLL_MS = 10;
/** Otherwise a notification wakes the dispatcher; this is for those that got lost. */
const IDLE_POLL_MS = 500;
const ENGINE_AWAY_POLL_MS = 200;
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
  let window = { size: 0, readAt: Number.NEGATIVE_INFINITY };

  async function refreshWindow(): Promise<void> {
    const capacity = await liveCapacity(db, queue);
    window = {
      size: windowSize(capacity.concurrency, capacity.finishedPerSecond),
      readAt: performance.now(),
    };
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return ENGINE_AWAY_POLL_MS;
    if (window.size === 0) await refreshWindow();
    const { jobs, moreToDo } = await dispatchJobs(db, queue, window.size);
    // A process that dies here leaves jobs marked that the engine never got: the reconciler finds them.
    if (jobs.length > 0) await addToEngine(engine.queue(queue), jobs);
    // Only now, as a job that just came in must not wait for it.
    if (performance.now() - window.readAt > CAPACITY_MAX_AGE_MS) await refreshWindow();
    return moreToDo ? BUSY_POLL_MS : IDLE_POLL_MS;
  }

  return startLoop({ runOnce, retryAfterMs: ENGINE_AWAY_POLL_MS, onError });
}
