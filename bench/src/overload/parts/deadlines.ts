import { type Table, writeFigure } from '../../report/table.ts';
import { countBySecond, isAccepted, percentileOrNone, percentOf } from '../load/figures.ts';
import { MIXED_KINDS } from '../load/mix.ts';
import type { OverloadPart } from '../part.ts';
import { drawLines, pointsBySecond } from '../report/draw-lines.ts';
import { atLeast } from '../report/goals.ts';
import { type BusyWorkers, type Offered, openBusyWorkers, plainMix } from '../world/busy-workers.ts';

const TTL_MS = 1_000;
const TIMES = 2;
const IN_TIME = 99;

interface ByDeadline {
  title: string;
  offered: number;
  accepted: number;
  startedInTime: number;
  startP99Ms: number;
  /** Jobs that came in each second, and were started in time. */
  inTimeBySecond: number[];
}

export const deadlines: OverloadPart = {
  name: 'deadlines',
  title: 'Jobs with a deadline',
  explanation: `The workers are the bottleneck, nothing bounds how much may wait, and twice what can be done comes of jobs that are to start within ${TTL_MS} ms. First they say so with \`ttlMs\`; then they do not, as if nobody were refused for it, and it is counted how many started within that time all the same.`,
  async run({ servers, size, say }) {
    const { seconds } = size.deadlines;
    await using busy = await openBusyWorkers(servers, size.bottleneck.capacitySeconds);
    const told = await offer(busy, seconds, true);
    const silent = await offer(busy, seconds, false);
    for (const { title, accepted, startedInTime } of [told, silent])
      say(`deadlines, ${title}: ${accepted} accepted, ${startedInTime} started in time`);
    const share = percentOf(told.startedInTime, told.accepted);
    return {
      goals: [atLeast('accepted jobs that start in time', share, IN_TIME, '%')],
      tables: [{ title: 'With a deadline, and without', table: tabulate([told, silent]) }],
      plots: [
        {
          title: 'Jobs that started in time, by the second in which they came',
          svg: draw(busy, [told, silent]),
        },
      ],
      figures: { capacity: busy.capacity, ttlMs: TTL_MS, told, silent },
    };
  },
};

async function offer(busy: BusyWorkers, seconds: number, saysSo: boolean): Promise<ByDeadline> {
  const kinds = MIXED_KINDS.map((kind) => ({ ...kind, ...(saysSo && { ttlMs: TTL_MS }) }));
  const load = { perSecond: TIMES * busy.capacity, seconds };
  const offered = await busy.offer({ mix: plainMix(busy.sender, { kinds }), load });
  return sumUp(saysSo ? 'with `ttlMs`' : 'without', offered, seconds);
}

/** A job that has expired has no start. */
function sumUp(title: string, { flooded, starts }: Offered, seconds: number): ByDeadline {
  const accepted = flooded.answers.filter(isAccepted);
  const startMs = accepted.flatMap(({ n, answeredAt }) => {
    const at = starts.get(n);
    return at === undefined ? [] : [at - answeredAt];
  });
  const inTime = accepted.filter(
    ({ n, answeredAt }) => (starts.get(n) ?? Number.POSITIVE_INFINITY) - answeredAt <= TTL_MS,
  );
  const due = inTime.map(({ dueAt }) => dueAt);
  return {
    title,
    offered: flooded.answers.length,
    accepted: accepted.length,
    startedInTime: inTime.length,
    startP99Ms: percentileOrNone(startMs, 0.99),
    inTimeBySecond: countBySecond(due, flooded.startedAt, seconds),
  };
}

function tabulate(all: readonly ByDeadline[]): Table {
  return {
    header: ['', 'came', 'accepted', 'started in time', '% of the accepted', '% of all', 'start p99 s'],
    rows: all.map(({ title, offered, accepted, startedInTime, startP99Ms }) => [
      title,
      ...[offered, accepted, startedInTime].map(writeFigure),
      ...[percentOf(startedInTime, accepted), percentOf(startedInTime, offered)].map(writeFigure),
      writeFigure(startP99Ms / 1_000),
    ]),
  };
}

function draw({ capacity }: BusyWorkers, all: readonly ByDeadline[]): string {
  return drawLines({
    title: `Jobs that started within ${TTL_MS} ms`,
    x: { label: 'seconds' },
    y: { label: 'jobs/s' },
    series: all.map(({ title, inTimeBySecond }, place) => ({
      label: title.replaceAll('`', ''),
      points: pointsBySecond(inTimeBySecond),
      isMain: place === 0,
    })),
    bound: { label: 'what can be done', value: capacity },
  });
}
