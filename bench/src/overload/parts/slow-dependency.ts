import { now } from '../../noop.ts';
import { type Table, writeFigure } from '../../report/table.ts';
import { openSession, type Session } from '../../world/session.ts';
import { countBySecond, isAccepted, percentileOrNone, ratePerSecond } from '../load/figures.ts';
import type { Flooded } from '../load/flood.ts';
import type { JobKind, Sender } from '../load/mix.ts';
import { runFlood, soon } from '../load/run-flood.ts';
import type { OverloadPart, PartOptions } from '../part.ts';
import { drawLines, pointsBySecond } from '../report/draw-lines.ts';
import { atLeast } from '../report/goals.ts';
import { acceptedOverloaded, slotsOf } from '../world/accepted-overloaded.ts';
import { plainMix } from '../world/busy-workers.ts';
import { layDown } from '../world/operate.ts';
import { readStarts } from '../world/starts.ts';

const SLOTS = 20;
/** A fifth of the slots. */
const OTHERS: { kinds: JobKind[]; perSecond: number } = {
  kinds: [
    { type: 'overload.mail', workMs: 10, weight: 2 },
    { type: 'overload.import', workMs: 40, weight: 1 },
  ],
  perSecond: 200,
};
/** At its usual length a fifth of a slot, and four times all slots when it is slow. Who cannot have it soon does not want it any more. */
const DEPENDENT = { type: 'overload.report', perSecond: 40, usualMs: 5, slowMs: 2_000, ttlMs: 5_000 };
/** What an operator would lay down for it. */
const LIMIT = 5;
const WARM_UP_MS = 1_000;
const LEAST_THROUGHPUT = 0.95;
const FIRST_N = { others: 1, usual: 10_000_000, slow: 20_000_000 };

interface BesideSlow {
  title: string;
  othersBefore: Stretch;
  othersDuring: Stretch;
  othersBySecond: number[];
  dependentBySecond: number[];
}

interface Stretch {
  startedPerSecond: number;
  startP99Ms: number;
}

export const slowDependency: OverloadPart = {
  name: 'slow-dependency',
  title: 'Handlers of one type become slow',
  explanation: `One worker with ${SLOTS} slots. Two types come 200 times a second, and need a fifth of the slots; a third one comes 40 times a second, and takes 5 ms: then what it depends on becomes slow, and it takes 2 s. Once nothing is laid down for it, and once an operator lets ${LIMIT} of it be in flight.`,
  async run(options) {
    const all = [
      await measure(options, 'nothing laid down', undefined),
      await measure(options, `${LIMIT} in flight at most`, LIMIT),
    ];
    const { beforeSeconds, slowSeconds } = options.size.slowDependency;
    return {
      goals: all.map(({ title, othersBefore, othersDuring }) =>
        atLeast(
          `other types started a second, to before; ${title}`,
          othersDuring.startedPerSecond / othersBefore.startedPerSecond,
          LEAST_THROUGHPUT,
          '×',
        ),
      ),
      tables: [{ title: 'The other types', table: tabulate(all) }],
      plots: all.map((one) => ({
        title: `Jobs started a second, ${one.title}`,
        svg: draw(one, beforeSeconds, beforeSeconds + slowSeconds),
      })),
      figures: all,
    };
  },
};

async function measure(options: PartOptions, title: string, limit: number | undefined): Promise<BesideSlow> {
  const { beforeSeconds, slowSeconds } = options.size.slowDependency;
  await using session = await openSession(options.servers, acceptedOverloaded);
  await session.startWorkers(1, slotsOf(SLOTS));
  if (limit !== undefined)
    await layDown(session.api, `/v1/job-types/${DEPENDENT.type}`, { concurrency: limit });
  const startAt = soon();
  const slowAt = startAt + beforeSeconds * 1_000;
  const endsAt = slowAt + slowSeconds * 1_000;
  const flooded = await loadBoth(session, { startAt, slowAt, beforeSeconds, slowSeconds });
  const starts = await readStarts(session.stores);
  const startsOf = (isOthers: boolean) =>
    [...starts].flatMap(([n, at]) => (n < FIRST_N.usual === isOthers ? [at] : []));
  const bySecond = (isOthers: boolean) =>
    countBySecond(startsOf(isOthers), startAt, beforeSeconds + slowSeconds);
  const stretch = (from: number, to: number): Stretch => ({
    startedPerSecond: ratePerSecond(startsOf(true), from, to),
    startP99Ms: startP99Ms(flooded, starts, from, to),
  });
  // What has just been started compiles what it runs.
  const [othersBefore, othersDuring] = [stretch(startAt + WARM_UP_MS, slowAt), stretch(slowAt, endsAt)];
  const [before, during] = [othersBefore, othersDuring].map((one) => Math.round(one.startedPerSecond));
  options.say(`slow-dependency, ${title}: others ${before}/s before, ${during}/s beside it`);
  return {
    title,
    othersBefore,
    othersDuring,
    othersBySecond: bySecond(true),
    dependentBySecond: bySecond(false),
  };
}

/** Answers what came of the others; who depends on what is slow is not looked at. */
async function loadBoth(
  session: Session,
  when: { startAt: number; slowAt: number; beforeSeconds: number; slowSeconds: number },
): Promise<Flooded> {
  const { startAt, slowAt, beforeSeconds, slowSeconds } = when;
  const sender: Sender = { name: 'all', headers: session.api.headers, weight: 1 };
  const { type, perSecond, usualMs, slowMs, ttlMs } = DEPENDENT;
  const dependent = (workMs: number) => plainMix(sender, { kinds: [{ type, workMs, ttlMs, weight: 1 }] });
  const usual = { mix: dependent(usualMs), load: { perSecond, seconds: beforeSeconds } };
  const slow = { mix: dependent(slowMs), load: { perSecond, seconds: slowSeconds } };
  const load = { perSecond: OTHERS.perSecond, seconds: beforeSeconds + slowSeconds };
  const mix = plainMix(sender, { kinds: OTHERS.kinds });
  const [others] = await Promise.all([
    runFlood(session, { mix, load, startAt, firstN: FIRST_N.others }),
    runFlood(session, { ...usual, startAt, firstN: FIRST_N.usual }),
    runFlood(session, { ...slow, startAt: slowAt, firstN: FIRST_N.slow }),
  ]);
  return others;
}

/** What has not started by now counts with the time that it has waited. */
function startP99Ms(
  { answers }: Flooded,
  starts: ReadonlyMap<number, number>,
  from: number,
  to: number,
): number {
  const due = answers.filter((answer) => isAccepted(answer) && answer.dueAt >= from && answer.dueAt < to);
  const startMs = due.map(({ n, dueAt }) => (starts.get(n) ?? now()) - dueAt);
  return percentileOrNone(startMs, 0.99);
}

function tabulate(all: readonly BesideSlow[]): Table {
  return {
    header: ['', 'started/s before', 'beside it', 'start p99 s before', 'beside it'],
    rows: all.map(({ title, othersBefore, othersDuring }) => [
      title,
      ...[othersBefore, othersDuring].map((one) => writeFigure(one.startedPerSecond)),
      ...[othersBefore, othersDuring].map((one) => writeFigure(one.startP99Ms / 1_000)),
    ]),
  };
}

function draw({ title, othersBySecond, dependentBySecond }: BesideSlow, from: number, to: number): string {
  return drawLines({
    title: `Jobs started a second, ${title}`,
    x: { label: 'seconds' },
    y: { label: 'jobs/s' },
    series: [
      { label: 'other types', points: pointsBySecond(othersBySecond), isMain: true },
      { label: 'the type that becomes slow', points: pointsBySecond(dependentBySecond), isMain: false },
    ],
    during: { label: 'it takes 2 s', from, to },
  });
}
