import { type Table, writeFigure } from '../../report/table.ts';
import { countByKind, countBySecond, isAccepted, isRefusal, percentileOrNone } from '../load/figures.ts';
import type { FloodAnswer } from '../load/flood.ts';
import { createPicker, type Sender } from '../load/mix.ts';
import type { OverloadPart } from '../part.ts';
import { drawLines, pointsBySecond } from '../report/draw-lines.ts';
import { atMost } from '../report/goals.ts';
import { type BusyWorkers, boundQueue, openBusyWorkers, plainMix } from '../world/busy-workers.ts';
import { addTenant } from '../world/operate.ts';

const SMALL_TENANTS = 10;
/** What each sends, in times of what can be done. */
const SMALL_TIMES = 0.03;
const HOG_TIMES = 4;

interface Limit {
  name: string;
  /** What is laid down for the hog, of what can be done a second. */
  rules(perSecond: number): Record<string, number>;
}

const NO_LIMIT: Limit = { name: 'nothing', rules: () => ({}) };
const LIMITS: readonly Limit[] = [
  { name: 'a rate', rules: (perSecond) => ({ ratePerSecond: Math.round(perSecond / 2) }) },
  { name: 'a quota', rules: (perSecond) => ({ dailyQuota: Math.round(perSecond) }) },
  { name: 'a bound', rules: (perSecond) => ({ maxBacklog: Math.round(perSecond / 2) }) },
];

interface BesideHog {
  limit: string;
  small: Side;
  hog: Side;
}

interface Side {
  offered: number;
  accepted: number;
  refused: Record<string, number>;
  other: number;
  startP99Ms: number;
  acceptedBySecond: number[];
}

export const hog: OverloadPart = {
  name: 'hog',
  title: 'Ten small tenants beside a large one',
  explanation:
    'The workers are the bottleneck, and as many jobs of all tenants may wait as are done in two seconds. Ten tenants each send 3 % of what can be done, within what is laid down for them; another one sends four times of what can be done, and for it a rate of half of that is laid down, or a quota of a second of it a day, or a bound of half a second of it; or nothing, to compare with.',
  async run({ servers, size, say }) {
    await using busy = await openBusyWorkers(servers, size.bottleneck.capacitySeconds);
    await boundQueue(busy);
    const small = await addSmallTenants(busy);
    const all: BesideHog[] = [];
    for (const limit of [NO_LIMIT, ...LIMITS]) {
      const found = await measure(busy, small, limit, size.hog.seconds);
      say(
        `hog, ${limit.name}: ${refusals(found.small)} of small tenants refused, ${refusals(found.hog)} of the hog`,
      );
      all.push(found);
    }
    const limited = all.filter(({ limit }) => limit !== NO_LIMIT.name);
    return {
      goals: limited.map(({ limit, small: side }) =>
        atMost(
          `small tenants' jobs not accepted, the hog has ${limit}`,
          side.offered - side.accepted,
          0,
          'jobs',
        ),
      ),
      tables: [{ title: 'By what is laid down for the large tenant', table: tabulate(all) }],
      plots: [
        {
          title: "Small tenants' jobs that are accepted, by what is laid down for the large one",
          svg: draw(all),
        },
      ],
      figures: { capacity: busy.capacity, all },
    };
  },
};

/** Each may do four times of what it does. */
async function addSmallTenants({ session, capacity }: BusyWorkers): Promise<Sender[]> {
  const rules = {
    ratePerSecond: Math.ceil(4 * SMALL_TIMES * capacity),
    dailyQuota: 1_000_000,
    maxBacklog: Math.ceil(capacity / 5),
  };
  const tenants: Sender[] = [];
  for (let place = 1; place <= SMALL_TENANTS; place += 1)
    tenants.push(await addTenant(session.api, { name: `small ${place}`, weight: SMALL_TIMES }, rules));
  return tenants;
}

/** Each limit has a hog of its own: what one has used up of a quota is not that of the next. */
async function measure(
  busy: BusyWorkers,
  small: readonly Sender[],
  { name, rules }: Limit,
  seconds: number,
): Promise<BesideHog> {
  const { session, capacity } = busy;
  const named = { name: `hog with ${name}`, weight: HOG_TIMES };
  const large = await addTenant(session.api, named, rules(capacity));
  const mix = plainMix(busy.sender, { senders: [...small, large] });
  const perSecond = (HOG_TIMES + SMALL_TENANTS * SMALL_TIMES) * capacity;
  const { flooded, starts } = await busy.offer({ mix, load: { perSecond, seconds } });
  const pick = createPicker(mix);
  const side = (isHogs: boolean) => {
    const answers = flooded.answers.filter(({ n }) => (pick(n).sender.name === large.name) === isHogs);
    return sumUp(answers, starts, flooded.startedAt, seconds);
  };
  return { limit: name, small: side(false), hog: side(true) };
}

function sumUp(
  answers: FloodAnswer[],
  starts: Map<number, number>,
  startedAt: number,
  seconds: number,
): Side {
  const accepted = answers.filter(isAccepted);
  const refused = answers.filter(isRefusal);
  const startMs = accepted.map(({ n, dueAt }) => (starts.get(n) ?? Number.NaN) - dueAt);
  const acceptedDue = accepted.map(({ dueAt }) => dueAt);
  return {
    offered: answers.length,
    accepted: accepted.length,
    refused: countByKind(refused),
    other: answers.length - accepted.length - refused.length,
    startP99Ms: percentileOrNone(startMs, 0.99),
    acceptedBySecond: countBySecond(acceptedDue, startedAt, seconds),
  };
}

const refusals = ({ refused }: Side) => Object.values(refused).reduce((sum, count) => sum + count, 0);

function tabulate(all: readonly BesideHog[]): Table {
  const sideOf = (side: Side) => [side.offered, side.accepted, side.startP99Ms / 1_000].map(writeFigure);
  const codes = ({ refused }: Side) =>
    Object.entries(refused)
      .map(([code, count]) => `${code} ${writeFigure(count)}`)
      .join(', ') || '–';
  return {
    header: [
      '',
      'small: sent',
      'accepted',
      'start p99 s',
      'refused',
      'large: sent',
      'accepted',
      'start p99 s',
      'refused',
    ],
    rows: all.map(({ limit, small, hog: large }) => [
      ...[limit, ...sideOf(small), codes(small), ...sideOf(large), codes(large)],
    ]),
  };
}

function draw(all: readonly BesideHog[]): string {
  return drawLines({
    title: "Small tenants' jobs that are accepted",
    x: { label: 'seconds' },
    y: { label: 'jobs/s' },
    series: all.map(({ limit, small }) => ({
      label: `the large one has ${limit}`,
      points: pointsBySecond(small.acceptedBySecond),
      isMain: limit !== NO_LIMIT.name,
    })),
  });
}
