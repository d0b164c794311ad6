import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { Api } from '../../contenders/contender.ts';
import { DRAIN_TIMEOUT_MS } from '../../measures/sizes.ts';
import { type Table, writeFigure } from '../../report/table.ts';
import type { Target } from '../../report/target.ts';
import { watchDrain } from '../../world/drain.ts';
import { MIXED_KINDS } from '../load/mix.ts';
import { runFlood, soon } from '../load/run-flood.ts';
import type { OverloadPart, PartFindings } from '../part.ts';
import { drawLines } from '../report/draw-lines.ts';
import { atMost } from '../report/goals.ts';
import { type BusyWorkers, boundQueue, openBusyWorkers, plainMix } from '../world/busy-workers.ts';
import { type Buckets, countedSince, countOf, quantileOf, readBuckets } from '../world/read-quantiles.ts';

const METRIC = 'accepted_prediction_error_ratio';
const MOST_P50 = 1.25;
const MOST_P95 = 2;
const STEADY_TIMES = 1.2;
/** A calm load, and twice what can be done on top of it in every other stretch. */
const CHANGING = { calmTimes: 0.25, burstTimes: 1.75, stretchSeconds: 5 };
/** None of these jobs expires; they only ask that somebody foresees when they start. */
const TTL_MS = 60_000;
/** Processes tell of what they have counted every five seconds. */
const TOLD_AFTER_MS = 6_000;

interface Errors {
  load: string;
  count: number;
  p50: number;
  p95: number;
  byBound: (readonly [upTo: number, percent: number])[];
}

export const predictions: OverloadPart = {
  name: 'predictions',
  title: 'Waits that are foreseen',
  explanation: `The workers are the bottleneck, as many jobs may wait as are done in two seconds, and each has a \`ttlMs\`. First ${STEADY_TIMES} times what can be done comes all the time; then a quarter of it, and twice of it, in turn every ${CHANGING.stretchSeconds} s. How far foreseen and real waits were apart is what \`/metrics\` says, as the ratio of the longer one to the shorter.`,
  async run({ servers, size, say }) {
    await using busy = await openBusyWorkers(servers, size.bottleneck.capacitySeconds);
    await boundQueue(busy);
    const { steadySeconds, changingSeconds } = size.predictions;
    const steady = await measure(busy, 'steady', () => loadSteadily(busy, steadySeconds));
    const changing = await measure(busy, 'changing', () => loadInTurns(busy, changingSeconds));
    const all = [steady, changing].filter((one) => one !== undefined);
    for (const { load, count, p50, p95 } of all)
      say(`predictions, ${load}: ${count}, p50 ${writeFigure(p50)}, p95 ${writeFigure(p95)}`);
    return all.length > 0 ? describe(all) : NOTHING_TOLD;
  },
};

const NOTHING_TOLD: PartFindings = {
  goals: [],
  notes: [`The API has no \`${METRIC}\`, or has counted nothing in it, so nothing is judged.`],
  ...{ tables: [], plots: [], figures: [] },
};

/** `undefined` where nothing is told. */
async function measure(
  { session }: BusyWorkers,
  load: string,
  act: () => Promise<void>,
): Promise<Errors | undefined> {
  const before = await readErrors(session.api);
  await act();
  await watchDrain(session, DRAIN_TIMEOUT_MS);
  await delay(TOLD_AFTER_MS);
  const after = await readErrors(session.api);
  const counted = after && countedSince(after, before);
  const count = counted ? countOf(counted) : 0;
  if (!counted || count === 0) return undefined;
  const byBound = [...counted].flatMap(([upTo, within]) =>
    Number.isFinite(upTo) ? [[upTo, (within / count) * 100] as const] : [],
  );
  return { load, count, p50: quantileOf(counted, 0.5), p95: quantileOf(counted, 0.95), byBound };
}

async function readErrors({ url, headers }: Api): Promise<Buckets | undefined> {
  const { body } = await request(new URL('/metrics', url), { headers });
  return readBuckets(await body.text(), METRIC);
}

const mixOf = ({ sender }: BusyWorkers) =>
  plainMix(sender, { kinds: MIXED_KINDS.map((kind) => ({ ...kind, ttlMs: TTL_MS })) });

async function loadSteadily(busy: BusyWorkers, seconds: number): Promise<void> {
  const load = { perSecond: STEADY_TIMES * busy.capacity, seconds };
  await busy.offer({ mix: mixOf(busy), load });
}

async function loadInTurns(busy: BusyWorkers, seconds: number): Promise<void> {
  const { session, capacity } = busy;
  const { calmTimes, burstTimes, stretchSeconds } = CHANGING;
  const startAt = soon();
  const mix = mixOf(busy);
  const load = (times: number, lasts: number) => ({ perSecond: times * capacity, seconds: lasts });
  const bursts = Array.from({ length: Math.floor(seconds / stretchSeconds / 2) }, (_, burst) =>
    runFlood(session, {
      ...{ mix, load: load(burstTimes, stretchSeconds), firstN: (burst + 11) * 10_000_000 },
      startAt: startAt + (2 * burst + 1) * stretchSeconds * 1_000,
    }),
  );
  const calm = runFlood(session, { mix, load: load(calmTimes, seconds), startAt, firstN: 100_000_000 });
  await Promise.all([calm, ...bursts]);
}

function describe(all: readonly Errors[]): PartFindings {
  return {
    goals: all.flatMap(judge),
    tables: [{ title: 'Foreseen to real waits, the longer to the shorter', table: tabulate(all) }],
    plots: [{ title: 'How many waits were foreseen how well', svg: draw(all) }],
    figures: all,
  };
}

function judge({ load, p50, p95 }: Errors): Target[] {
  return [
    atMost(`foreseen to real waits under ${load} load, p50`, p50, MOST_P50, '×'),
    atMost(`foreseen to real waits under ${load} load, p95`, p95, MOST_P95, '×'),
  ];
}

function tabulate(all: readonly Errors[]): Table {
  return {
    header: ['', 'waits', 'p50', 'p95'],
    rows: all.map(({ load, count, p50, p95 }) => [`${load} load`, ...[count, p50, p95].map(writeFigure)]),
  };
}

function draw(all: readonly Errors[]): string {
  return drawLines({
    title: 'Waits that were foreseen as well as this, or better',
    x: { label: 'the longer to the shorter', isLog: true },
    y: { label: '%' },
    series: all.map(({ load, byBound }, place) => ({
      label: `${load} load`,
      points: byBound.filter(([upTo]) => upTo > 0),
      isMain: place === 0,
    })),
  });
}
