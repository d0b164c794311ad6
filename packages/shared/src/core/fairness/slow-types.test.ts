import { describe, expect, test } from 'vitest';
import { type AdaptiveLimit, createAdaptiveLimits, typesToTakeBack } from './adaptive-limits.ts';
import { chooseJobs, limitedTypesThatWait } from './choose-jobs.ts';
import type { Landing } from './flights.ts';
import {
  createQueuePicture,
  groupLines,
  hear,
  judgeTypes,
  type PlacedJobs,
  type QueuePicture,
  takeOff,
} from './queue-picture.ts';
import { isQuick, lookAgainInMs } from './tenant-share.ts';
import { slowWindowSize, windowSize } from './window.ts';

const SLOTS = 10;
const LANE = '0';
const TURN_EVERY_MS = 20;
const QUICK_MS = 5;
const SLOW_MS = 2_000;
/** Of the time of all slots: what one type needs, and the other, while both are quick. */
const NEEDS = { other: 0.6, slow: 0.3 };
const FROM_MS = 20_000;
const FOR_MS = 60_000;

type Type = keyof typeof NEEDS;
const TYPES = ['other', 'slow'] as const;

/** What a second of the simulation has seen, by type. */
interface Second {
  ended: Record<Type, number>;
  mostRunning: Record<Type, number>;
}

/**
 * Simulates a queue of one tenant, whose jobs go by age, and a worker. Jobs of both types come at an even pace; `runMs` says how long
 * one runs that begins then.
 */
function simulate(forMs: number, runMs: (type: Type, nowMs: number) => number, isAdaptive = true): Second[] {
  const queue = createQueue(isAdaptive);
  const seconds: Second[] = [];
  const running: { type: Type; beganMs: number; endsAtMs: number }[] = [];
  const coming = { other: 0, slow: 0 };
  for (let nowMs = 1; nowMs <= forMs; nowMs += 1) {
    const second = seconds[Math.floor((nowMs - 1) / 1_000)] ?? { ended: none(), mostRunning: none() };
    seconds[Math.floor((nowMs - 1) / 1_000)] = second;
    for (const type of TYPES) coming[type] += (SLOTS * NEEDS[type]) / QUICK_MS;
    for (const job of running.filter(({ endsAtMs }) => endsAtMs <= nowMs)) {
      running.splice(running.indexOf(job), 1);
      queue.ended.push({ type: job.type, ranMs: job.endsAtMs - job.beganMs });
      second.ended[job.type] += 1;
    }
    while (running.length < SLOTS && queue.engine.length > 0) {
      const { type } = queue.engine.shift() ?? { type: 'other' as const };
      running.push({ type, beganMs: nowMs, endsAtMs: nowMs + runMs(type, nowMs) });
    }
    for (const type of TYPES)
      second.mostRunning[type] = Math.max(
        second.mostRunning[type],
        running.filter((job) => job.type === type).length,
      );
    if (nowMs % TURN_EVERY_MS !== 0) continue;
    const slowTypes = TYPES.filter((type) => {
      const sinceMs = running.reduce((sum, job) => (job.type === type ? sum + nowMs - job.beganMs : sum), 0);
      return !isQuick(sinceMs / SLOTS);
    });
    queue.takeTurn(nowMs, coming, slowTypes);
  }
  return seconds;
}

const none = (): Record<Type, number> => ({ other: 0, slow: 0 });

/** A queue with its dispatcher, and the engine, which gives out in order what it was given. */
function createQueue(isAdaptive: boolean) {
  const picture = createQueuePicture({
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, inFlight: [], order: { present: 0, passes: [] } },
    lines: [],
  });
  const takes = new Map([...Object.keys(NEEDS), 'never'].map((type) => [type, 'schema']));
  picture.builds.set(LANE, takes);
  const limits = createAdaptiveLimits([], 0);
  /** By line: when the jobs that stand there came, and how many each time. */
  const ready = new Map<string, { placedBy: bigint; jobs: number }[]>();
  const engine: { type: Type }[] = [];
  const ended: { type: Type; ranMs: number }[] = [];
  let inForce: ReadonlyMap<string, AdaptiveLimit> = new Map();
  let takenBack: Type[] = [];
  let perSecond = 0;

  const place = (nowMs: number, type: Type, jobs: number, isNew: boolean): PlacedJobs[] => {
    if (jobs === 0) return [];
    const line = ready.get(`${type} ${isNew}`) ?? [];
    ready.set(`${type} ${isNew}`, line);
    line.push({ placedBy: BigInt(nowMs), jobs });
    return [{ ...LINE, type, isNew, placedBy: String(nowMs), jobs }];
  };

  return {
    engine,
    ended,
    takeTurn(nowMs: number, coming: Record<Type, number>, slowTypes: Type[]) {
      const arrivals = TYPES.flatMap((type) => {
        const jobs = Math.floor(coming[type]);
        coming[type] -= jobs;
        const back = takenBack.filter((one) => one === type).length;
        return [...place(nowMs, type, jobs, true), ...place(nowMs, type, back, false)];
      });
      const landed = ended.splice(0);
      const landings = [
        ...landed.map(({ type, ranMs }) => landing(type, { started: 1, ranMs })),
        ...takenBack.map((type) => landing(type, { started: 0, ranMs: 0 })),
      ];
      takenBack = [];
      perSecond += 0.1 * ((landed.length * 1_000) / TURN_EVERY_MS - perSecond);
      hear(picture, { snapshot: '', seenAt: '', round: 0, arrivals, landings });
      picture.adaptiveLimits = inForce;
      judgeTypes(picture, slowTypes);
      const windows = [windowOf(picture, perSecond)];
      groupLines(picture, windows, [...inForce.keys()]);
      engine.push(...dispatch(picture, windows, ready));
      const inFlight = picture.flights.ofTypes();
      const seen = {
        ...{ landings, inFlight, waiting: limitedTypesThatWait(picture), slowTypes },
        lanes: [{ concurrency: SLOTS, takes }],
      };
      if (!isAdaptive) return;
      const before = inForce;
      inForce = limits.see(seen, nowMs);
      const tooMany = typesToTakeBack(before, inForce, inFlight);
      takenBack = engine.map(({ type }) => type).filter((type) => tooMany.includes(type));
      engine.splice(0, engine.length, ...engine.filter(({ type }) => !tooMany.includes(type)));
    },
  };
}

const LINE = { tenantId: 'a', refusedBy: [], priority: 2, isKeyed: false, blockedBy: null };
const FLIGHT = { tenantId: 'a', concurrencyKey: null, buildId: LANE };

const landing = (type: Type, ran: Pick<Landing, 'started' | 'ranMs'>): Landing => ({
  ...{ ...FLIGHT, type, jobs: 1 },
  ...ran,
});

function windowOf({ times }: QueuePicture, perSecond: number) {
  const slowMs = times.slowMs() ?? 1_000;
  return {
    buildId: LANE,
    size: windowSize(SLOTS, perSecond),
    concurrency: SLOTS,
    mostSlow: slowWindowSize(SLOTS, slowMs, lookAgainInMs(slowMs)),
  };
}

/** Chooses jobs and takes them off their lines; answers them in the order in which they are to run. */
function dispatch(
  picture: QueuePicture,
  windows: ReturnType<typeof windowOf>[],
  ready: Map<string, { placedBy: bigint; jobs: number }[]>,
): { type: Type }[] {
  const jobs: { type: Type; place: number }[] = [];
  for (const { line, places } of chooseJobs(picture, windows).lines) {
    const type = line.type as Type;
    const standing = ready.get(`${type} ${line.isNew}`) ?? [];
    for (const place of places) {
      jobs.push({ type, place });
      takeOff(picture, { ...FLIGHT, type });
      const [head] = standing;
      if (head) head.jobs -= 1;
      if (head?.jobs === 0) standing.shift();
    }
    const [next] = standing;
    if (next) picture.lines.advance(line, places.length, next.placedBy);
    else picture.lines.remove(line);
  }
  return jobs.sort((one, other) => one.place - other.place);
}

const endedOf = (seconds: Second[], type: Type, fromMs: number, forMs: number) =>
  seconds.slice(fromMs / 1_000, (fromMs + forMs) / 1_000).reduce((sum, { ended }) => sum + ended[type], 0);

/** What comes of a type in so long. */
const comes = (type: Type, ms: number) => (ms * SLOTS * NEEDS[type]) / QUICK_MS;

const isDuring = (nowMs: number) => nowMs > FROM_MS && nowMs <= FROM_MS + FOR_MS;

describe('of two types of one tenant the jobs of one take two seconds for a minute instead of 5 ms', () => {
  const step = (type: Type, nowMs: number) => (type === 'slow' && isDuring(nowMs) ? SLOW_MS : QUICK_MS);
  const seconds = simulate(FROM_MS + 2 * FOR_MS, step);

  test('and the other one keeps its throughput, during that minute and the next', () => {
    for (const fromMs of [FROM_MS, FROM_MS + FOR_MS])
      expect(endedOf(seconds, 'other', fromMs, FOR_MS) / comes('other', FOR_MS)).toBeGreaterThan(0.95);
    const without = simulate(FROM_MS + FOR_MS, step, false);
    expect(endedOf(without, 'other', FROM_MS, FOR_MS) / comes('other', FOR_MS)).toBeLessThan(0.1);
  });

  test('and it has its own back within five seconds, and what others leave, until it has caught up', () => {
    const recovered = FROM_MS + FOR_MS + 5_000;
    const perSecond = endedOf(seconds, 'slow', recovered, 20_000) / 20;
    expect(perSecond).toBeGreaterThan(comes('slow', 1_000));
    expect(perSecond).toBeGreaterThan(0.95 * (SLOTS / QUICK_MS) * 1_000 * (1 - NEEDS.other));
  });
});

test('the handlers of a type hang from one moment to the next: once they have ended hardly any of it run', () => {
  const hungMs = 10_000;
  const seconds = simulate(FROM_MS + FOR_MS, (type, nowMs) =>
    type === 'slow' && isDuring(nowMs) ? hungMs : QUICK_MS,
  );
  const hungAt = FROM_MS / 1_000;
  expect(seconds[hungAt + 5]?.mostRunning).toEqual({ other: 0, slow: SLOTS });
  const afterwards = seconds.slice(hungAt + hungMs / 1_000 + 1, (FROM_MS + FOR_MS) / 1_000);
  expect(Math.max(...afterwards.map(({ mostRunning }) => mostRunning.slow))).toBe(1);
  expect(Math.min(...afterwards.map(({ ended }) => ended.other))).toBeGreaterThan(
    0.95 * comes('other', 1_000),
  );
});
