import { setTimeout as delay } from 'node:timers/promises';
import { intoDeliveries } from '@accepted/shared/core/fairness/delivery-size';
import { lookAgainInMs } from '@accepted/shared/core/fairness/tenant-share';
import {
  followWindow,
  refillInMs,
  type WindowState,
  windowSize,
} from '@accepted/shared/core/fairness/window';
import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { DispatchTurn, LaneAfterTurn } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { NO_RULES } from '@accepted/shared/ledger/jobs/turn-rules';
import { takeBackPaused } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { type DispatchRules, readDispatchRules } from '@accepted/shared/ledger/limits/dispatch-rules';
import { type LiveLane, listLiveLanes } from '@accepted/shared/ledger/workers/workers';
import type { HandlerTimes } from '../../path/handler-times.ts';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';
import { createKnownQueue } from './known-queue.ts';
import type { TenantShare } from './tenant-share.ts';

/** A notification wakes the dispatcher; this is for those that got lost. */
const IDLE_POLL_MS = 500;
/** A turn that was another dispatcher's must not be tried again at once. */
const MIN_POLL_MS = 2;
const ENGINE_AWAY_POLL_MS = 200;
/** After a turn that took all there was, a busy queue rests, so that the next one is for many, and costs as little a job. */
const BUSY_PER_SECOND = 200;
const RESTS_PER_TURN = 2;
const MAX_REST_MS = 20;
/** A pause or a limit is in force within a second: it is read so often, and a turn that is under way may take the rest. */
const LIVE_MAX_AGE_MS = 750;
const TURN_AT_MOST_MS = 250;

/** Who serves the queue, and what is in force. */
interface Live {
  lanes: LiveLane[];
  rules: DispatchRules;
  readAt: number;
}

const NOBODY: Live = {
  lanes: [],
  rules: { ...NO_RULES, pausedJobs: { isQueue: false, types: [], tenants: [] }, edition: '' },
  readAt: Number.NEGATIVE_INFINITY,
};

export interface DispatcherOptions {
  db: Database;
  engine: Engine;
  queue: string;
  /** How long handlers of the queue have been taking of late, in this process. */
  times: Pick<HandlerTimes, 'quickTypes' | 'handlerMs'>;
  share: Pick<TenantShare, 'mostInFlight'>;
  service?: OneService | undefined;
  onError: (error: unknown) => void;
}

/**
 * Starts the dispatcher of one queue: the only writer of its jobs into the engine, where each build that serves the queue
 * has a lane. One of them serves the queue; while its lease goes over to another one both may take turns.
 */
export function startDispatcher(options: DispatcherOptions): Loop {
  const { db, service, engine, queue, times, share, onError } = options;
  const known = createKnownQueue(db, queue);
  let live: Live = NOBODY;
  const windows = new Map<string, WindowState>();

  /** Answers whether other rules are in force now. */
  async function refresh(): Promise<boolean> {
    const { edition } = live.rules;
    const lanes = await listLiveLanes(db, queue);
    const builds = lanes.map(({ buildId }) => buildId);
    live = { lanes, rules: await readDispatchRules(db, queue, builds), readAt: performance.now() };
    if (live.rules.paused.size > 0) await takeBackPaused(db, queue, live.rules.pausedJobs);
    for (const buildId of windows.keys()) if (!builds.includes(buildId)) windows.delete(buildId);
    return live.rules.edition !== edition;
  }

  /** Heartbeats tell of all workers, but seconds later; what leaves flight tells at once. */
  function sizeOf({ buildId, concurrency, finishedPerSecond }: LiveLane): number {
    return windowSize(concurrency, Math.max(finishedPerSecond, windows.get(buildId)?.endedPerSecond ?? 0));
  }

  /** A process that dies here leaves jobs marked that the engine never got: the reconciler finds them. */
  async function fillLanes(turn: DispatchTurn, lanes: LiveLane[], quickTypes: string[]): Promise<void> {
    const fillOne = async ({ buildId, inFlightBefore, dispatched, ahead }: LaneAfterTurn) => {
      const workers = lanes.find((lane) => lane.buildId === buildId)?.workers ?? 1;
      const options = { handlerMs: times.handlerMs(), quickTypes, workers };
      for (const isAhead of [true, false]) {
        const jobs = dispatched.filter((job) => ahead.has(job) === isAhead);
        if (jobs.length === 0) continue;
        await engine.deliver({ queue, buildId }, intoDeliveries(jobs, options), { isAhead });
      }
      const now = { inFlightBefore, dispatched: dispatched.length, atMs: performance.now() };
      windows.set(buildId, followWindow(windows.get(buildId), now));
    };
    await eachAlone(turn.lanes, fillOne, onError);
  }

  /** Waits for the first of the full lanes to have room: one that idles must not have a busy one looked at all the time. */
  function nextTurnInMs(turn: DispatchTurn, lanes: LiveLane[], sizes: ReadonlyMap<string, number>): number {
    const full = turn.lanes.filter(({ isFull }) => isFull);
    const waits = (full.length > 0 ? full : turn.lanes).map(({ buildId }) => {
      const window = windows.get(buildId);
      const concurrency = lanes.find((lane) => lane.buildId === buildId)?.concurrency ?? 0;
      return window ? refillInMs(window, { size: sizes.get(buildId) ?? 0, concurrency }) : 0;
    });
    return Math.max(MIN_POLL_MS, Math.min(...waits));
  }

  /** Takes a turn, and answers in how many milliseconds the next one is due, whatever is in force then. */
  async function takeTurn(): Promise<number> {
    if (!engine.isReady()) return ENGINE_AWAY_POLL_MS;
    // They are old where this worker gets the service back, or had no engine meanwhile.
    if (live.lanes.length === 0 || goodForMs() < -TURN_AT_MOST_MS) await refresh();
    if (live.lanes.length === 0) return IDLE_POLL_MS;
    const { lanes, rules } = live;
    const sizes = new Map(lanes.map((lane) => [lane.buildId, sizeOf(lane)]));
    const turnBeganMs = performance.now();
    const laneWindows = lanes.map(({ buildId, concurrency }) => {
      const mostPerTenant = share.mostInFlight(concurrency, times.handlerMs());
      return { buildId, size: sizes.get(buildId) ?? 0, mostPerTenant };
    });
    const quickTypes = times.quickTypes();
    const turn = await known.takeTurn(laneWindows, { ...rules, quickTypes });
    await fillLanes(turn, lanes, quickTypes);
    const turnTookMs = performance.now() - turnBeganMs;
    // Only now, as a job that just came in must not wait for it.
    const mustLookAgain = goodForMs() <= 0 && (await refresh());
    await known.store();
    if (mustLookAgain) return MIN_POLL_MS;
    if (turn.moreToDo) return nextTurnInMs(turn, lanes, sizes);
    if (turn.heldBack) return lookAgainInMs(times.handlerMs());
    const endedPerSecond = windows.values().reduce((sum, window) => sum + window.endedPerSecond, 0);
    if (endedPerSecond > BUSY_PER_SECOND) await delay(Math.min(MAX_REST_MS, RESTS_PER_TURN * turnTookMs));
    return Math.min(IDLE_POLL_MS, known.lookAgainInMs());
  }

  const goodForMs = () => live.readAt + LIVE_MAX_AGE_MS - performance.now();
  async function runOnce(): Promise<number> {
    const nextMs = await takeTurn();
    return goodForMs() > 0 ? Math.min(nextMs, goodForMs()) : nextMs;
  }
  service?.onlyWhile(engine.isReady);
  return startLoop({ runOnce, retryAfterMs: ENGINE_AWAY_POLL_MS, onError, service });
}
