import { setTimeout as delay } from 'node:timers/promises';
import { type DeliveryOptions, intoDeliveries } from '@accepted/shared/core/fairness/delivery-size';
import { lookAgainInMs } from '@accepted/shared/core/fairness/tenant-share';
import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { DispatchTurn, LaneAfterTurn } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { NO_RULES } from '@accepted/shared/ledger/jobs/turn-rules';
import { takeBackPaused } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { type DispatchRules, readDispatchRules } from '@accepted/shared/ledger/limits/dispatch-rules';
import { type LiveLane, listLiveLanes } from '@accepted/shared/ledger/workers/workers';
import type { Logger } from 'pino';
import type { HandlerTimes } from '../../path/handler-times.ts';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';
import { createDrainTeller } from './drain-teller.ts';
import { createKnownQueue, type TypicalTimes } from './known-queue.ts';
import { createLaneWindows } from './lane-windows.ts';
import { createStartRates } from './start-rates.ts';
import type { TenantShare } from './tenant-share.ts';
import { createTypeLimits } from './type-limits.ts';

/** A notification wakes the dispatcher; this is for those that got lost. */
const IDLE_POLL_MS = 500;
/** A turn that was another dispatcher's must not be tried again at once. */
const MIN_POLL_MS = 2;
const ENGINE_AWAY_POLL_MS = 200;
/** Nobody tells when a type that is held down may have another job in flight. */
const LIMITED_POLL_MS = 50;
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
  rules: { ...NO_RULES, rates: [], pausedJobs: { isQueue: false, types: [], tenants: [] }, edition: '' },
  readAt: Number.NEGATIVE_INFINITY,
};

export interface DispatcherOptions {
  db: Database;
  engine: Engine;
  queue: string;
  /** How long handlers of the queue are taking that run in this process. */
  times: Pick<HandlerTimes, 'slowTypes'>;
  share: Pick<TenantShare, 'mostInFlight'>;
  service?: OneService | undefined;
  logger: Logger;
  onError: (error: unknown) => void;
}

export interface Dispatcher extends Loop {
  /** Has the queue looked at now if jobs were held back that may go once others have ended. */
  slotCameFree(): void;
}

/**
 * Starts the dispatcher of one queue: the only writer of its jobs into the engine, where each build that serves the queue
 * has a lane. One of them serves the queue; while its lease goes over to another one both may take turns.
 */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, service, engine, queue, times, share, onError } = options;
  const known = createKnownQueue(db, queue);
  let live: Live = NOBODY;
  let heldBack = false;
  const windows = createLaneWindows(share);
  const drain = createDrainTeller(db, queue);
  const startRates = createStartRates(db);
  const typeLimits = createTypeLimits(options);

  /** Answers whether other rules are in force now. */
  async function refresh(): Promise<boolean> {
    const { edition } = live.rules;
    const lanes = await listLiveLanes(db, queue);
    const builds = lanes.map(({ buildId }) => buildId);
    live = { lanes, rules: await readDispatchRules(db, queue, builds), readAt: performance.now() };
    if (live.rules.paused.size > 0) await takeBackPaused(db, queue, live.rules.pausedJobs);
    windows.keepOnly(builds);
    return live.rules.edition !== edition;
  }

  /** Heartbeats tell of all workers, but seconds later. */
  const slowTypes = () => [...times.slowTypes(), ...live.lanes.flatMap((lane) => lane.slowTypes.flat())];

  /** A process that dies here leaves jobs marked that the engine never got: the reconciler finds them. */
  async function fillLane(
    lane: LaneAfterTurn,
    times: Pick<DeliveryOptions, 'quickTypes' | 'handlerMs'>,
  ): Promise<void> {
    await deliver(options, lane, { ...times, workers: workersOf(live, lane) });
    windows.follow(lane);
  }

  /** Takes a turn, and answers in how many milliseconds the next one is due, whatever is in force then. */
  async function takeTurn(): Promise<number> {
    if (!engine.isReady()) return ENGINE_AWAY_POLL_MS;
    // They are old where this worker gets the service back, or had no engine meanwhile.
    if (live.lanes.length === 0 || goodForMs() < -TURN_AT_MOST_MS) await refresh();
    if (live.lanes.length === 0) return IDLE_POLL_MS;
    const { lanes, rules } = live;
    const turnBeganMs = performance.now();
    const typical = known.typicalTimes();
    const laneWindows = windows.of(lanes, typical);
    const ofTypes = { slowTypes: slowTypes(), adaptiveLimits: await typeLimits.inForce() };
    const rooms = await startRates.rooms(rules.rates);
    const turn = await known.takeTurn(laneWindows, { ...rules, ...ofTypes, rooms });
    startRates.spend(turn.jobs);
    const { quickTypes } = turn.picture;
    await eachAlone(turn.lanes, (lane) => fillLane(lane, { ...typical, quickTypes }), onError);
    const turnTookMs = performance.now() - turnBeganMs;
    heldBack = turn.heldBack;
    drain.see(turn.lanes, lanes);
    // Only now, as a job that just came in must not wait for it.
    const mustLookAgain = goodForMs() <= 0 && (await refresh());
    await typeLimits.follow({ turn, lanes, slowTypes: ofTypes.slowTypes });
    await known.store();
    await drain.tell();
    if (mustLookAgain) return MIN_POLL_MS;
    if (turn.moreToDo) return Math.max(MIN_POLL_MS, windows.nextTurnInMs(turn.lanes, lanes, laneWindows));
    const heldMs = heldForMs(turn, typical, startRates.nextInMs());
    if (heldMs !== undefined) return heldMs;
    if (windows.endedPerSecond() > BUSY_PER_SECOND) await rest(turnTookMs);
    return Math.min(turn.waitingTypes.size > 0 ? LIMITED_POLL_MS : IDLE_POLL_MS, known.lookAgainInMs());
  }

  const goodForMs = () => live.readAt + LIVE_MAX_AGE_MS - performance.now();
  async function runOnce(): Promise<number> {
    const nextMs = await takeTurn();
    return goodForMs() > 0 ? Math.min(nextMs, goodForMs()) : nextMs;
  }
  service?.onlyWhile(engine.isReady);
  const loop = startLoop({ runOnce, retryAfterMs: ENGINE_AWAY_POLL_MS, onError, service });
  return {
    ...loop,
    slotCameFree() {
      if (heldBack) loop.wake();
    },
  };
}

const rest = (turnTookMs: number) => delay(Math.min(MAX_REST_MS, RESTS_PER_TURN * turnTookMs));

const workersOf = ({ lanes }: Live, { buildId }: LaneAfterTurn) =>
  lanes.find((lane) => lane.buildId === buildId)?.workers ?? 1;

/** In how many milliseconds those may go that a turn has held back; `undefined` where there are none. */
function heldForMs(
  { isSlowHeldBack, heldBack, isRateReached }: DispatchTurn,
  { slowMs, handlerMs }: TypicalTimes,
  tokenInMs: number,
): number | undefined {
  if (isSlowHeldBack) return lookAgainInMs(slowMs);
  if (heldBack) return lookAgainInMs(handlerMs);
  return isRateReached ? Math.min(IDLE_POLL_MS, Math.max(MIN_POLL_MS, tokenInMs)) : undefined;
}

/** First those that go before what is in the lane already. */
async function deliver(
  { engine, queue }: Pick<DispatcherOptions, 'engine' | 'queue'>,
  { buildId, dispatched, ahead }: LaneAfterTurn,
  options: DeliveryOptions,
): Promise<void> {
  for (const isAhead of [true, false]) {
    const jobs = dispatched.filter((job) => ahead.has(job) === isAhead);
    if (jobs.length > 0) await engine.deliver({ queue, buildId }, intoDeliveries(jobs, options), { isAhead });
  }
}
