import { type Table, writeFigure } from '../../report/table.ts';
import { countBySecond, isAccepted, isRefusal, percentOf } from '../load/figures.ts';
import type { FloodAnswer } from '../load/flood.ts';
import type { OverloadPart } from '../part.ts';
import { drawLines, pointsBySecond } from '../report/draw-lines.ts';
import { atMost } from '../report/goals.ts';
import { boundQueue, openBusyWorkers, plainMix } from '../world/busy-workers.ts';

const BURST_TIMES = 4;
const PEAK = 1.2;

interface Retries {
  capacity: number;
  burstSeconds: number;
  refusedAtFirst: number;
  /** Requests that came in each second, from the begin of the burst on. */
  sentBySecond: number[];
  /** Those of them who had been refused before. */
  returnedBySecond: number[];
  /** In the time after the burst. */
  peakPerSecond: number;
  /** How often somebody was refused, and how many were so often; who was accepted first. */
  byRefusals: { refusals: number; accepted: number }[];
  refusedToTheEnd: number;
}

export const retries: OverloadPart = {
  name: 'retries',
  title: 'Those who were refused come back',
  explanation:
    'The workers are the bottleneck, and as many jobs may wait as are done in two seconds. Four times what can be done comes in a burst; whoever is refused comes back when `Retry-After` says, each time, with the same job.',
  async run({ servers, size, say }) {
    const { burstSeconds, returnSeconds } = size.retries;
    await using busy = await openBusyWorkers(servers, size.bottleneck.capacitySeconds);
    await boundQueue(busy);
    const { capacity } = busy;
    const load = { perSecond: BURST_TIMES * capacity, seconds: burstSeconds };
    const { flooded } = await busy.offer({ mix: plainMix(busy.sender), load, returnSeconds });
    const found = sumUp(flooded, { capacity, burstSeconds, returnSeconds });
    say(`retries: ${found.refusedAtFirst} refused, peak ${found.peakPerSecond}/s of ${Math.round(capacity)}`);
    const ratio = found.peakPerSecond / capacity;
    return {
      goals: [
        atMost(
          `most who come in a second of the ${returnSeconds} s after, to what can be done`,
          ratio,
          PEAK,
          '×',
        ),
      ],
      tables: [{ title: 'How often they were refused before they were accepted', table: tabulate(found) }],
      plots: [{ title: 'Requests a second during the burst and after it', svg: draw(found) }],
      figures: found,
    };
  },
};

function sumUp(
  { startedAt, answers }: { startedAt: number; answers: FloodAnswer[] },
  {
    capacity,
    burstSeconds,
    returnSeconds,
  }: { capacity: number; burstSeconds: number; returnSeconds: number },
): Retries {
  const bySecond = (some: FloodAnswer[]) =>
    countBySecond(
      some.map(({ sentAt }) => sentAt),
      startedAt,
      burstSeconds + returnSeconds,
    );
  const accepted = answers.filter(isAccepted);
  const most = Math.max(0, ...accepted.map(({ returned }) => returned));
  const sentBySecond = bySecond(answers);
  const first = answers.filter(({ returned }) => returned === 0);
  return {
    ...{ capacity, burstSeconds, sentBySecond },
    refusedAtFirst: first.filter(isRefusal).length,
    returnedBySecond: bySecond(answers.filter(({ returned }) => returned > 0)),
    peakPerSecond: Math.max(...sentBySecond.slice(burstSeconds)),
    byRefusals: Array.from({ length: most + 1 }, (_, refusals) => ({
      refusals,
      accepted: accepted.filter(({ returned }) => returned === refusals).length,
    })),
    refusedToTheEnd: first.length - accepted.length,
  };
}

function tabulate({ byRefusals, refusedToTheEnd }: Retries): Table {
  const all = byRefusals.reduce((sum, { accepted }) => sum + accepted, refusedToTheEnd);
  const row = (name: string, jobs: number) => [name, writeFigure(jobs), writeFigure(percentOf(jobs, all))];
  return {
    header: ['', 'jobs', '%'],
    rows: [
      ...byRefusals.map(({ refusals, accepted }) =>
        row(
          refusals === 0 ? 'at once' : `refused ${refusals === 1 ? 'once' : `${refusals} times`}`,
          accepted,
        ),
      ),
      row('not accepted by the end', refusedToTheEnd),
    ],
  };
}

function draw({ capacity, burstSeconds, sentBySecond, returnedBySecond }: Retries): string {
  return drawLines({
    title: 'Requests a second',
    x: { label: 'seconds' },
    y: { label: 'requests/s' },
    series: [
      { label: 'all', points: pointsBySecond(sentBySecond), isMain: false },
      { label: 'come back', points: pointsBySecond(returnedBySecond), isMain: true },
    ],
    bound: { label: `${PEAK} × what can be done`, value: PEAK * capacity },
    during: { label: 'the burst', from: 0, to: burstSeconds },
  });
}
