import { describe, expect, test } from 'vitest';
import { type ArrivalLog, createArrivalLog } from './arrival-log.ts';
import { chooseJobs } from './choose-jobs.ts';
import { createDrainMeter } from './drain-meter.ts';
import { createForecast, type Forecast } from './forecast.ts';
import { errorRatio } from './prediction-samples.ts';
import {
  createQueuePicture,
  groupLines,
  hear,
  judgeTypes,
  type QueuePicture,
  takeOff,
} from './queue-picture.ts';
import { lookAgainInMs, mostInFlight } from './tenant-share.ts';
import { followWindow, refillInMs, slowWindowSize, type WindowState, windowSize } from './window.ts';

const LANE = '0';
const QUEUE = 'default';
const SHARE = 80;
const LOOK_EVERY_MS = 1_000;

/** Jobs of a tenant and priority, and how many come a second at which second. */
interface Load {
  tenantId: string;
  priority: number;
  perSecond: (second: number) => number;
  /** How many of them the process that foresees lets in; all when left out. */
  seenPart?: number;
}

interface Scenario {
  slots: number;
  runMs: (second: number) => number;
  weights?: Map<string, number>;
  loads: Load[];
  seconds: number;
}

interface Job extends Pick<Load, 'tenantId' | 'priority'> {
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
class SimulatedQueue {
  readonly jobs: Job[] = [];
  readonly #scenario: Scenario;
  readonly #random = createRandom();
  readonly #picture: QueuePicture;
  readonly #lines = new Map<string, Job[]>();
  readonly #meter = createDrainMeter();
  readonly #log: ArrivalLog = createArrivalLog(0);
  readonly #weights: Map<string, number>;
  #arrived: Job[] = [];
  #engine: Job[] = [];
  #running: { job: Job; endsAtMs: number; ranMs: number }[] = [];
  #ended: { job: Job; ranMs: number }[] = [];
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
    this.#picture.builds.set(LANE, new Map([['work', 'schema']]));
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
    const job: Job = { tenantId, priority, placedAtMs: nowMs, told: [] };
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

  #tell(job: Job, waitMs: number | undefined, atMs: number): void {
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
    const line = { type: 'work', refusedBy: [], isNew: true, isKeyed: false, blockedBy: null };
    const flight = { type: 'work', concurrencyKey: null, buildId: LANE };
    const arrivals = this.#arrived.splice(0).map(({ tenantId, priority }) => ({
      ...{ ...line, tenantId, priority, placedBy: '1', jobs: 1 },
    }));
    const landings = this.#ended.splice(0).map(({ job, ranMs }) => ({
      ...{ ...flight, tenantId: job.tenantId, jobs: 1, started: 1, ranMs },
    }));
    hear(picture, { snapshot: '', seenAt: '', round: 0, arrivals, landings });
    const slowMs = picture.times.slowMs() ?? 1_000;
    const handlerMs = picture.times.quickMs() ?? slowMs;
    const size = windowSize(slots, this.#window?.endedPerSecond ?? 0);
    const mostSlow = slowWindowSize(slots, slowMs, lookAgainInMs(handlerMs));
    const areSeveral = new Set(this.#scenario.loads.map(({ tenantId }) => tenantId)).size > 1;
    const mostPerTenant = areSeveral ? mostInFlight(slots, SHARE, handlerMs) : undefined;
    const windows = [{ buildId: LANE, size, concurrency: slots, mostSlow, mostPerTenant }];
    judgeTypes(picture, []);
    groupLines(picture, windows);
    const inFlightBefore = picture.flights.through(LANE);
    const { lines, heldBack } = chooseJobs(picture, windows);
    const chosen: { job: Job; place: number; tenantId: string }[] = [];
    for (const { line, places } of lines) {
      const waiting = this.#lines.get(`${line.tenantId} ${line.priority}`) ?? [];
      for (const [index, job] of waiting.splice(0, places.length).entries())
        chosen.push({ job, place: places[index] ?? 0, tenantId: job.tenantId });
      if (places.length >= line.jobs) picture.lines.remove(line);
      else picture.lines.advance(line, places.length, 1n);
      for (const _ of places) takeOff(picture, { ...flight, tenantId: line.tenantId });
    }
    chosen.sort((one, other) => one.place - other.place);
    const ahead = picture.overtaking.begin({ buildId: LANE, size, weights: this.#weights }, chosen);
    const named = (isAhead: boolean) =>
      chosen.filter((one) => ahead.has(one) === isAhead).map(({ job }) => job);
    this.#engine = [...named(true), ...this.#engine, ...named(false)];
    this.#meter.see({ ended: this.#inFlightThen - inFlightBefore, isBusy: inFlightBefore >= slots }, nowMs);
    this.#inFlightThen = inFlightBefore + chosen.length;
    this.#window = followWindow(this.#window, { inFlightBefore, dispatched: chosen.length, atMs: nowMs });
    const inMs =
      heldBack.size > 0 ? lookAgainInMs(handlerMs) : refillInMs(this.#window, { size, concurrency: slots });
    this.#nextTurnAtMs = nowMs + Math.max(5, Math.min(100, inMs));
  }
}

/** Sorts by which factors the predictions were off. */
function errorsIn(
  scenario: Scenario,
  whose: (job: Job) => boolean = () => true,
  when: (atMs: number, startedAtMs: number) => boolean = () => true,
): number[] {
  const queue = new SimulatedQueue(scenario);
  queue.run();
  return queue.jobs
    .filter(whose)
    .flatMap(({ told, startedAtMs }) =>
      startedAtMs === undefined
        ? []
        : told
            .filter(({ atMs }) => when(atMs, startedAtMs))
            .flatMap(({ atMs, waitMs }) => errorRatio(waitMs, startedAtMs - atMs) ?? []),
    )
    .sort((one, other) => one - other);
}

const quantile = (sorted: readonly number[], part: number) =>
  sorted[Math.floor(sorted.length * part)] ?? Number.NaN;

/** Ten handlers of 20 ms: 500 jobs a second. */
const WORKERS = { slots: 10, runMs: () => 20, seconds: 45 };
const load = (tenantId: string, priority: number, perSecond: number | Load['perSecond']): Load => ({
  ...{ tenantId, priority, perSecond: typeof perSecond === 'number' ? () => perSecond : perSecond },
});
/** So many a second for ten seconds, twice as many for the next ten, and so on. */
const changing = (perSecond: number) => (second: number) => (second % 20 < 10 ? perSecond : 2 * perSecond);
const backlog = (jobs: number, perSecond: number) => (second: number) => (second < 2 ? jobs / 2 : perSecond);

const SCENARIOS: Record<string, Scenario> = {
  'a queue that always has as much waiting': { ...WORKERS, loads: [load('a', 2, backlog(2_000, 490))] },
  'a load that doubles and halves': { ...WORKERS, loads: [load('a', 2, changing(350))] },
  'a burst that is worked off': {
    ...WORKERS,
    loads: [load('a', 2, (second) => (second % 20 < 2 ? 4_000 : 20))],
  },
  'few slow handlers': { slots: 4, runMs: () => 800, seconds: 200, loads: [load('a', 2, changing(4))] },
  'tenants with weights, all of which have more than their share': {
    ...WORKERS,
    weights: new Map([['a', 3]]),
    loads: [load('a', 2, changing(300)), load('b', 2, 300), load('c', 2, changing(200))],
  },
  'tenants of which some have less than their share': {
    ...WORKERS,
    loads: [load('a', 2, backlog(4_000, 350)), load('b', 2, changing(60)), load('c', 2, 100)],
  },
  'forty tenants': {
    ...WORKERS,
    loads: Array.from({ length: 40 }, (_, n) => load(`t${n}`, 2, n < 4 ? changing(60) : 6)),
  },
  'priorities, the least urgent of which has what others leave': {
    ...WORKERS,
    loads: [load('a', 0, changing(50)), load('a', 2, 200), load('a', 3, backlog(3_000, 200))],
  },
  'priorities and tenants': {
    ...WORKERS,
    loads: [
      ...[load('a', 1, changing(60)), load('a', 3, changing(100))],
      ...[load('b', 2, changing(120)), load('c', 3, changing(20))],
    ],
  },
  'urgent jobs that come twice as often from one moment on': {
    ...WORKERS,
    loads: [load('a', 1, (second) => (second < 25 ? 150 : 300)), load('a', 3, backlog(2_000, 200))],
  },
  'another process that lets in as many': {
    ...WORKERS,
    loads: [
      { ...load('a', 2, backlog(4_000, 350)), seenPart: 0.5 },
      { ...load('b', 2, 150), seenPart: 0.5 },
    ],
  },
};

describe('half of the predictions are off by a quarter at most, and 19 of 20 by a factor of two, in', () => {
  test.each(Object.entries(SCENARIOS))('%s', (_name, scenario) => {
    const errors = errorsIn(scenario);
    expect(errors.length).toBeGreaterThan(500);
    expect(quantile(errors, 0.5)).toBeLessThan(1.25);
    expect(quantile(errors, 0.95)).toBeLessThan(2);
  });
});

test('where the least urgent of a tenant have what is left of a load that swings, half are off by a quarter at most', () => {
  const loads = [
    load('a', 1, changing(80)),
    load('a', 3, 150),
    load('b', 2, changing(120)),
    load('c', 3, 30),
  ];
  const errors = errorsIn({ ...WORKERS, loads });
  expect(errors.length).toBeGreaterThan(500);
  expect(quantile(errors, 0.5)).toBeLessThan(1.25);
  // Nobody knows when it swings back.
  expect(quantile(errors, 0.95)).toBeLessThan(2.25);
});

test('who waits behind what others bring is told so', () => {
  const errors = errorsIn(
    SCENARIOS['priorities, the least urgent of which has what others leave'] as Scenario,
    ({ priority }) => priority === 3,
  );
  expect(errors.length).toBeGreaterThan(500);
  expect(quantile(errors, 0.5)).toBeLessThan(1.25);
});

test('handlers that take twice as long, or half, are noticed within two seconds', () => {
  const changesEveryMs = 10_000;
  const runMs = (second: number) => (second % 20 < 10 ? 20 : 40);
  const scenario = { ...WORKERS, runMs, loads: [load('a', 2, backlog(800, 330))] };
  const isInTime = (atMs: number, startedAtMs: number) =>
    atMs % changesEveryMs > 2_500 &&
    Math.floor(atMs / changesEveryMs) === Math.floor(startedAtMs / changesEveryMs);
  const errors = errorsIn(scenario, () => true, isInTime);
  expect(errors.length).toBeGreaterThan(500);
  expect(quantile(errors, 0.95)).toBeLessThan(1.25);
});

test('of a job that somebody has looked at it is known how many go before it', () => {
  const seen = { queue: QUEUE, seenAtMs: 0, weights: new Map(), inDelivery: 10, perSecond: 10 };
  const going = [{ tenantId: 'a', priority: 2, jobs: 100, ageMs: 10_000 }];
  const forecast = createForecast({ ...seen, going }, { log: createArrivalLog(-20_000), nowMs: 0 });
  expect(forecast.startOf({ tenantId: 'a', priority: 2, before: 20 }, 0)?.startsInMs).toBe(3_000);
  expect(forecast.startOf({ tenantId: 'a', priority: 2, before: 20 }, 1_500)?.startsInMs).toBe(1_500);
  expect(forecast.startOf({ tenantId: 'a', priority: 2 }, 0)?.startsInMs).toBe(11_000);
  expect(forecast.startInDelivery()?.startsInMs).toBe(1_000);
});

test('where nobody works nothing is foreseen', () => {
  const seen = { queue: QUEUE, seenAtMs: 0, weights: new Map(), inDelivery: 0, perSecond: 0 };
  const forecast = createForecast({ ...seen, going: [] }, { log: createArrivalLog(0), nowMs: 0 });
  expect(forecast.startOf({ tenantId: 'a', priority: 2 }, 0)).toBeUndefined();
  expect(forecast.startInDelivery()).toBeUndefined();
});
