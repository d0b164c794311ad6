import { expect, test } from 'vitest';
import { chooseJobs, isSlowHeldBack } from './choose-jobs.ts';
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

const SHARE = 80;
const JOBS_EACH = 1_000;
const WEIGHTS = new Map([['heavy', 3]]);
const LANE = '0';

/** What runs in the simulated engine, which gives out in order what it was given. */
interface Engine {
  waiting: string[];
  running: { tenantId: string; endsAtMs: number }[];
  ended: string[];
}

/** Has two tenants begin to wait at the same time; answers whose jobs were started, in order, until the heavy one's have all been dispatched. */
function startsOf(slots: number, runMs: (n: number) => number): string[] {
  const picture = pictureOf();
  const engine: Engine = { waiting: [], running: [], ended: [] };
  const starts: string[] = [];
  let window: WindowState | undefined;
  let nextTurnAtMs = 0;
  for (let nowMs = 0; picture.lines.all().length === 2; nowMs += 1) {
    if (nowMs >= nextTurnAtMs) {
      const size = windowSize(slots, window?.endedPerSecond ?? 0);
      const turn = takeTurn(picture, engine, { slots, size, ranMs: runMs(0) });
      window = followWindow(window, { ...turn, atMs: nowMs });
      nextTurnAtMs =
        nowMs +
        (turn.isHeldBack
          ? lookAgainInMs(handlerMsOf(picture))
          : refillInMs(window, { size, concurrency: slots }));
    }
    runFor1Ms(engine, { slots, nowMs }, (tenantId) => {
      starts.push(tenantId);
      return nowMs + runMs(starts.length);
    });
  }
  return starts;
}

const slowMsOf = ({ times }: QueuePicture) => times.slowMs() ?? 1_000;
const handlerMsOf = (picture: QueuePicture) => picture.times.quickMs() ?? slowMsOf(picture);

function pictureOf(): QueuePicture {
  const line = { type: 'work', refusedBy: [], priority: 2, isNew: true, isKeyed: false, blockedBy: null };
  const placed = { jobs: JOBS_EACH, placedBy: '1' };
  const picture = createQueuePicture({
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, inFlight: [], order: { present: 0, passes: [] } },
    lines: ['light', 'heavy'].map((tenantId) => ({ tenantId, ...line, ...placed })),
  });
  picture.order.weigh(WEIGHTS);
  picture.builds.set(LANE, new Map([['work', 'schema']]));
  return picture;
}

function takeTurn(
  picture: QueuePicture,
  engine: Engine,
  { slots, size, ranMs }: Record<'slots' | 'size' | 'ranMs', number>,
) {
  const landed = Object.entries(Object.groupBy(engine.ended.splice(0), (tenantId) => tenantId));
  const flight = { type: 'work', concurrencyKey: null, buildId: LANE };
  const landings = landed.map(([tenantId, { length: jobs = 0 } = []]) => ({
    ...{ ...flight, tenantId, jobs, started: jobs, ranMs: jobs * ranMs },
  }));
  hear(picture, { snapshot: '', seenAt: '', round: 0, arrivals: [], landings });
  const handlerMs = handlerMsOf(picture);
  const mostPerTenant = mostInFlight(slots, SHARE, handlerMs);
  const mostSlow = slowWindowSize(slots, slowMsOf(picture), lookAgainInMs(handlerMs));
  const windows = [{ buildId: LANE, size, mostSlow, mostPerTenant }];
  judgeTypes(picture, []);
  groupLines(picture, windows);
  const inFlightBefore = picture.flights.through(LANE);
  const { lines, heldBack } = chooseJobs(picture, windows);
  const jobs = lines.flatMap(({ line, places }) =>
    places.map((place) => ({ tenantId: line.tenantId, place })),
  );
  for (const { line, places } of lines) {
    if (places.length >= line.jobs) picture.lines.remove(line);
    else picture.lines.advance(line, places.length, 1n);
    for (const _ of places) takeOff(picture, { ...flight, tenantId: line.tenantId });
  }
  jobs.sort((one, other) => one.place - other.place);
  const ahead = picture.overtaking.begin({ buildId: LANE, size, weights: WEIGHTS }, jobs);
  const named = (isAhead: boolean) =>
    jobs.filter((job) => ahead.has(job) === isAhead).map(({ tenantId }) => tenantId);
  engine.waiting = [...named(true), ...engine.waiting, ...named(false)];
  return {
    inFlightBefore,
    dispatched: jobs.length,
    isHeldBack: heldBack.size > 0 || isSlowHeldBack(picture, windows),
  };
}

function runFor1Ms(
  engine: Engine,
  { slots, nowMs }: Record<'slots' | 'nowMs', number>,
  start: (tenantId: string) => number,
): void {
  const { waiting, running, ended } = engine;
  for (const job of running.filter(({ endsAtMs }) => endsAtMs <= nowMs)) {
    running.splice(running.indexOf(job), 1);
    ended.push(job.tenantId);
  }
  while (running.length < slots && waiting.length > 0) {
    const tenantId = waiting.shift() ?? '';
    running.push({ tenantId, endsAtMs: start(tenantId) });
  }
}

test.each(
  [10, 24].flatMap((slots) => [20, 100, 160, 200, 245, 260, 400, 10_000].map((runMs) => ({ slots, runMs }))),
)(
  'of $slots slots who has thrice the weight gets thrice the time, from the first second on, where handlers take $runMs ms',
  ({ slots, runMs }) => {
    // They end one after the other, as everywhere.
    const starts = startsOf(slots, (n) => runMs + (n % 7) * (runMs / 50));
    expect(starts.length).toBeGreaterThan(JOBS_EACH);
    for (let from = 0; from + 100 <= starts.length; from += 100) {
      const heavy = starts.slice(from, from + 100).filter((tenantId) => tenantId === 'heavy').length;
      expect(heavy).toBeGreaterThanOrEqual(69);
      expect(heavy).toBeLessThanOrEqual(81);
    }
  },
);
