import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/database/connect';
import { dispatchJobs, readDispatchRound } from '@accepted/shared/database/dispatch-jobs';
import { liveCapacity } from '@accepted/shared/database/workers';
import { intoDeliveries } from '@accepted/shared/job/delivery-size';
import { followWindow, refillInMs, type WindowState, windowSize } from '@accepted/shared/job/window';
import { addToEngine, type Engine } from '@accepted/shared/queue/engine';
import { type Loop, startLoop } from '../loop.ts';
import { createTurnTaking } from './turn-taking.ts';

/** A notification wakes the dispatcher; this is for those that got lost. */
const IDLE_POLL_MS = 500;
/** A turn that was another dispatcher's must not be tried again at once. */
const MIN_POLL_MS = 2;
const ENGINE_AWAY_POLL_MS = 200;
/** After a turn that took all there was, a busy queue rests, so that the next one is for many, and costs as little a job. */
const BUSY_PER_SECOND = 200;
const RESTS_PER_TURN = 2;
const MAX_REST_MS = 20;
const CAPACITY_MAX_AGE_MS = 1_000;
/** Within this time after a hint, the dispatcher that serves the queue has taken a turn, or is no longer there. */
const FOLLOW_MS = 25;

export interface DispatcherOptions {
  db: Database;
  engine: Engine;
  queue: string;
  /** How long handlers of the queue have been taking of late, in this process. */
  handlerMs: () => number;
  onError: (error: unknown) => void;
}

/** The dispatcher of one queue; `wake` has it look now. */
export interface Dispatcher extends Loop {
  /** Tells of something that all dispatchers of the queue are told of: one of them will do. */
  hint(): void;
}

/**
 * Starts the dispatcher of one queue: the only writer of its jobs into the engine. Any number of them may run, in
 * any number of processes.
 */
export function startDispatcher({ db, engine, queue, handlerMs, onError }: DispatcherOptions): Dispatcher {
  const turns = createTurnTaking();
  let capacity = { workers: 0, concurrency: 0, finishedPerSecond: 0, readAt: Number.NEGATIVE_INFINITY };
  let window: WindowState | undefined;
  /** Whether this process knows of something that others may not, so that it must not leave the turn to them. */
  let mustLook = false;

  async function refreshCapacity(): Promise<void> {
    capacity = { ...(await liveCapacity(db, queue)), readAt: performance.now() };
  }

  async function anotherServes(): Promise<boolean> {
    await delay(FOLLOW_MS);
    return turns.sawRound(await readDispatchRound(db, queue));
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return ENGINE_AWAY_POLL_MS;
    const looks = mustLook;
    mustLook = false;
    if (!looks && turns.isFollowing() && (await anotherServes())) return IDLE_POLL_MS;
    if (capacity.concurrency === 0) await refreshCapacity();
    // Heartbeats tell of all workers, but seconds later; what leaves the window tells at once.
    const rate = Math.max(capacity.finishedPerSecond, window?.claimedPerSecond ?? 0);
    const size = windowSize(capacity.concurrency, rate);
    if (size === 0) return IDLE_POLL_MS;
    const turnBeganMs = performance.now();
    const turn = await dispatchJobs(db, queue, size);
    const { jobs, waitingBefore, moreToDo } = turn;
    turns.tookTurn(turn);
    // Whoever took the turn may have looked before what this process knows of had happened.
    if (turn.lost) mustLook ||= looks;
    // A process that dies here leaves jobs marked that the engine never got: the reconciler finds them.
    const deliveries = intoDeliveries(jobs, { handlerMs: handlerMs(), workers: capacity.workers });
    if (jobs.length > 0) await addToEngine(engine, queue, deliveries);
    const turnEndedMs = performance.now();
    window = followWindow(window, { waitingBefore, dispatched: jobs.length, atMs: turnEndedMs });
    // Only now, as a job that just came in must not wait for it.
    if (performance.now() - capacity.readAt > CAPACITY_MAX_AGE_MS) await refreshCapacity();
    if (moreToDo) return Math.max(MIN_POLL_MS, refillInMs(window, size));
    const restMs = Math.min(MAX_REST_MS, RESTS_PER_TURN * (turnEndedMs - turnBeganMs));
    if (window.claimedPerSecond > BUSY_PER_SECOND) await delay(restMs);
    return IDLE_POLL_MS;
  }

  const loop = startLoop({ runOnce, retryAfterMs: ENGINE_AWAY_POLL_MS, onError });
  return {
    stop: loop.stop,
    hint: loop.wake,
    wake() {
      mustLook = true;
      loop.wake();
    },
  };
}
