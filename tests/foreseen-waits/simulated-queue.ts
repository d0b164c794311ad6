import { type ArrivalLog, createArrivalLog } from '@accepted/shared/core/fairness/arrival-log';
import { chooseJobs } from '@accepted/shared/core/fairness/choose-jobs';
import { createDrainMeter } from '@accepted/shared/core/fairness/drain-meter';
import { createForecast, type Forecast } from '@accepted/shared/core/fairness/forecast';
import {
  createQueuePicture,
  groupLines,
  hear,
  judgeTypes,
  type LaneWindow,
  type QueuePicture,
  takeOff,
} from '@accepted/shared/core/fairness/queue-picture';
import { lookAgainInMs, mostInFlight } from '@accepted/shared/core/fairness/tenant-share';
import {
  followWindow,
  refillInMs,
  slowWindowSize,
  type WindowState,
  windowSize,
} from '@accepted/shared/core/fairness/window';

const LANE = '0';
const TYPE = 'work';
const FLIGHT = { type: TYPE, concurrencyKey: null, buildId: LANE };
const QUEUE = 'default';
const SHARE = 80;
const LOOK_EVERY_MS = 1_000;

/** Jobs of a tenant and priority, and how many come a second at which second. */
export interface Load {
  tenantId: string;
  priority: number;
  perSecond: (second: number) => number;
  /** How many of them the process that foresees lets in; all when left out. */
  seenPart?: number;
}

export interface Scenario {
  slots: number;
  runMs: (second: number) => number;
  weights?: Map<string, number>;
  loads: Load[];
  seconds: number;
}

export interface SimulatedJob extends Pick<Load, 'tenantId' | 'priority'> {
  placedAtMs: number;
  startedAtMs?: number;
  told: { atMs: number; waitMs: number }[];
}

/** Each time the same numbers from 0 to 1. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A queue with its dispatcher, workers, and a process that foresees waits, in simulated time. */
export class SimulatedQueue {
  readonly jobs: SimulatedJob[] = [];
  readonly #scenario: Scenario;
  readonly #random = createRandom();
  readonly #picture: QueuePicture;
  readonly #lines = new Map<string, SimulatedJob[]>();
  readonly #meter = createDrainMeter();
  readonly #log: ArrivalLog = createArrivalLog(0);
  readonly #weights: Map<string, number>;
  #arrived: SimulatedJob[] = [];
  #engine: SimulatedJob[] = [];
  #running: { job: SimulatedJob; endsAtMs: number; ranMs: number }[] = [];
  #ended: { job: SimulatedJob; ranMs: number }[] = [];
  #inFlightThen = 0;
  #window: WindowState | undefined;
  #nextTurnAtMs = 0;
  #toldPerSecond: number | undefined;
  #forecast: Forecast | undefined;
  #isMeasured = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#weights = scenario.weights ?? new Map();
    this.#picture = createQueuePicture({
      ...{ epoch: '', snapshot: '', seenAt: '', round: 0, inFlight: [], lines: [] },
      order: { present: 0, passes: [] },
    });
    this.#picture.order.weigh(this.#weights);
    this.#picture.builds.set(LANE, new Map([[TYPE, 'schema']]));
  }

  run(): void {
    for (let nowMs = 0; nowMs < this.#scenario.seconds * 1_000; nowMs += 1) {
      for (const load of this.#scenario.loads)
        for (let left = load.perSecond(nowMs / 1_000) / 1_000; this.#random() < left; left -= 1)
          this.#come(load, nowMs);
      this.#runJobs(nowMs);
      if (nowMs >= this.#nextTurnAtMs) this.#takeTurn(nowMs);
      // Workers tell at other moments than anybody looks.
      if (nowMs % LOOK_EVERY_MS === 700) this.#toldPerSecond = this.#meter.perSecond();
      if (nowMs % LOOK_EVERY_MS === 0) this.#look(nowMs);
      if (nowMs % 100 === 0) this.#poll(nowMs);
    }
  }

  #come({ tenantId, priority, seenPart = 1 }: Load, nowMs: number): void {
    const job: SimulatedJob = { tenantId, priority, placedAtMs: nowMs, told: [] };
    this.jobs.push(job);
    this.#arrived.push(job);
    const key = `${tenantId} ${priority}`;
    const line = this.#lines.get(key);
    if (line) line.push(job);
    else this.#lines.set(key, [job]);
    if (this.#random() >= seenPart) return;
    this.#tell(job, this.#forecast?.startOf({ tenantId, priority }, nowMs)?.startsInMs, nowMs);
    this.#log.note({ queue: QUEUE, tenantId, priority }, nowMs);
    this.#forecast?.add(job, nowMs);
  }

  #tell(job: SimulatedJob, waitMs: number | undefined, atMs: number): void {
    if (waitMs !== undefined && this.#isMeasured) job.told.push({ atMs, waitMs });
  }

  /** Somebody asks for a job that waits. */
  #poll(nowMs: number): void {
    const waiting = [...this.#lines.values()].flat();
    const job = waiting[Math.floor(this.#random() * waiting.length)];
    if (job) this.#tell(job, this.#forecast?.startOf(job, nowMs)?.startsInMs, nowMs);
  }

  #look(nowMs: number): void {
    const going = [...this.#lines].flatMap(([key, jobs]) => {
      const [tenantId = '', priority] = key.split(' ');
      const [first] = jobs;
      return first
        ? [{ tenantId, priority: Number(priority), jobs: jobs.length, ageMs: nowMs - first.placedAtMs }]
        : [];
    });
    this.#isMeasured = this.#toldPerSecond !== undefined;
    const perSecond = this.#toldPerSecond ?? this.#scenario.slots;
    const seen = {
      queue: QUEUE,
      seenAtMs: nowMs,
      going,
      weights: this.#weights,
      inDelivery: this.#engine.length,
    };
    const before = this.#forecast;
    this.#forecast = createForecast({ ...seen, perSecond }, { log: this.#log, nowMs, before });
  }

  #runJobs(nowMs: number): void {
    for (const running of this.#running.filter(({ endsAtMs }) => endsAtMs <= nowMs)) {
      this.#running.splice(this.#running.indexOf(running), 1);
      this.#ended.push(running);
    }
    while (this.#running.length < this.#scenario.slots) {
      const job = this.#engine.shift();
      if (!job) return;
      job.startedAtMs = nowMs;
      const ranMs = this.#scenario.runMs(nowMs / 1_000) * (0.5 + this.#random());
      this.#running.push({ job, endsAtMs: nowMs + ranMs, ranMs });
    }
  }

  #takeTurn(nowMs: number): void {
    const { slots } = this.#scenario;
    const picture = this.#picture;
    this.#hear();
    const slowMs = picture.times.slowMs() ?? 1_000;
    const handlerMs = picture.times.quickMs() ?? slowMs;
    const size = windowSize(slots, this.#window?.endedPerSecond ?? 0);
    const areSeveral = new Set(this.#scenario.loads.map(({ tenantId }) => tenantId)).size > 1;
    const window: LaneWindow = {
      ...{ buildId: LANE, size, concurrency: slots },
      mostSlow: slowWindowSize(slots, slowMs, lookAgainInMs(handlerMs)),
      mostPerTenant: areSeveral ? mostInFlight(slots, SHARE, handlerMs) : undefined,
    };
    judgeTypes(picture, []);
    groupLines(picture, [window]);
    const inFlightBefore = picture.flights.through(LANE);
    const { dispatched, isHeldBack } = this.#dispatch(window);
    this.#meter.see({ ended: this.#inFlightThen - inFlightBefore, isBusy: inFlightBefore >= slots }, nowMs);
    this.#inFlightThen = inFlightBefore + dispatched;
    this.#window = followWindow(this.#window, { inFlightBefore, dispatched, atMs: nowMs });
    const inMs = isHeldBack
      ? lookAgainInMs(handlerMs)
      : refillInMs(this.#window, { size, concurrency: slots });
    this.#nextTurnAtMs = nowMs + Math.max(5, Math.min(100, inMs));
  }

  /** Hears what has come and ended since the last turn. */
  #hear(): void {
    const line = { type: TYPE, refusedBy: [], isNew: true, isKeyed: false, blockedBy: null };
    const arrivals = this.#arrived
      .splice(0)
      .map(({ tenantId, priority }) => ({ ...line, tenantId, priority, placedBy: '1', jobs: 1 }));
    const landings = this.#ended.splice(0).map(({ job, ranMs }) => ({
      ...{ ...FLIGHT, tenantId: job.tenantId, jobs: 1, started: 1, ranMs },
    }));
    hear(this.#picture, { snapshot: '', seenAt: '', round: 0, arrivals, landings });
  }

  #dispatch(window: LaneWindow): { dispatched: number; isHeldBack: boolean } {
    const picture = this.#picture;
    const { lines, heldBack } = chooseJobs(picture, [window]);
    const chosen: { job: SimulatedJob; place: number; tenantId: string }[] = [];
    for (const { line, places } of lines) {
      const waiting = this.#lines.get(`${line.tenantId} ${line.priority}`) ?? [];
      for (const [index, job] of waiting.splice(0, places.length).entries())
        chosen.push({ job, place: places[index] ?? 0, tenantId: job.tenantId });
      if (places.length >= line.jobs) picture.lines.remove(line);
      else picture.lines.advance(line, places.length, 1n);
      for (const _ of places) takeOff(picture, { ...FLIGHT, tenantId: line.tenantId });
    }
    chosen.sort((one, other) => one.place - other.place);
    const lane = { buildId: LANE, size: window.size, weights: this.#weights };
    const ahead = picture.overtaking.begin(lane, chosen);
    const jobsOf = (isAhead: boolean) =>
      chosen.filter((one) => ahead.has(one) === isAhead).map(({ job }) => job);
    this.#engine = [...jobsOf(true), ...this.#engine, ...jobsOf(false)];
    return { dispatched: chosen.length, isHeldBack: heldBack.size > 0 };
  }
}
