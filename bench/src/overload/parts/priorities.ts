import type { Priority } from '@accepted/shared/core/job/priority';
import { type Table, writeFigure } from '../../report/table.ts';
import type { Target } from '../../report/target.ts';
import { countBySecond, isAccepted, isRefusal, percentOf } from '../load/figures.ts';
import type { FloodAnswer } from '../load/flood.ts';
import { createPicker, type Mix } from '../load/mix.ts';
import type { OverloadPart } from '../part.ts';
import { drawLines, pointsBySecond } from '../report/draw-lines.ts';
import { atLeast, atMost } from '../report/goals.ts';
import { type BusyWorkers, boundQueue, openBusyWorkers, plainMix } from '../world/busy-workers.ts';

const SHARES: NonNullable<Mix['priorities']> = [
  { priority: 'critical', weight: 10 },
  { priority: 'high', weight: 15 },
  { priority: 'normal', weight: 35 },
  { priority: 'low', weight: 40 },
];
const CRITICAL_ACCEPTED = 99.9;

interface OfPriority {
  priority: Priority;
  accepted: number;
  refused: number;
  other: number;
  /** How much of what was due in each second was accepted, in percent. */
  acceptedBySecond: number[];
}

interface Times {
  times: number;
  priorities: OfPriority[];
}

export const priorities: OverloadPart = {
  name: 'priorities',
  title: 'Who is refused first',
  explanation:
    'The workers are the bottleneck, as many jobs may wait as are done in two seconds, and jobs of all priorities come at once: a tenth `critical`, 15 % `high`, 35 % `normal`, 40 % `low`.',
  async run({ servers, size, say }) {
    await using busy = await openBusyWorkers(servers, size.bottleneck.capacitySeconds);
    await boundQueue(busy);
    const under = await offer(busy, 0.9, size.priorities.underSeconds);
    say(`priorities, 0.9 ×: ${sum(under.priorities, 'refused')} refused`);
    const over = await offer(busy, 2, size.priorities.overSeconds);
    say(`priorities, 2 ×: ${sum(over.priorities, 'refused')} refused`);
    return {
      goals: judge(under, over),
      tables: [{ title: 'Jobs by priority', table: tabulate([under, over]) }],
      plots: [{ title: 'Accepted at twice what can be done, by priority', svg: draw(over) }],
      figures: { capacity: busy.capacity, under, over },
    };
  },
};

async function offer(busy: BusyWorkers, times: number, seconds: number): Promise<Times> {
  const mix = plainMix(busy.sender, { priorities: SHARES });
  const load = { perSecond: times * busy.capacity, seconds };
  const { flooded } = await busy.offer({ mix, load });
  const pick = createPicker(mix);
  const ofEach = SHARES.map(({ priority }) => {
    const answers = flooded.answers.filter(({ n }) => pick(n).priority === priority);
    return sumUp(priority, answers, flooded.startedAt, seconds);
  });
  return { times, priorities: ofEach };
}

function sumUp(priority: Priority, answers: FloodAnswer[], startedAt: number, seconds: number): OfPriority {
  const accepted = answers.filter(isAccepted);
  const refused = answers.filter(isRefusal).length;
  const bySecond = (some: FloodAnswer[]) =>
    countBySecond(
      some.map(({ dueAt }) => dueAt),
      startedAt,
      seconds,
    );
  const due = bySecond(answers);
  return {
    ...{ priority, accepted: accepted.length, refused },
    other: answers.length - accepted.length - refused,
    acceptedBySecond: bySecond(accepted).map((count, second) => percentOf(count, due[second] ?? 0)),
  };
}

function judge(under: Times, over: Times): Target[] {
  const of = (wanted: Priority) => over.priorities.find(({ priority }) => priority === wanted);
  const part = (what: 'accepted' | 'refused', one: OfPriority | undefined) =>
    one ? percentOf(one[what], one.accepted + one.refused + one.other) : Number.NaN;
  const all = sum(over.priorities, 'refused');
  const offered = all + sum(over.priorities, 'accepted') + sum(over.priorities, 'other');
  return [
    atLeast('`critical` jobs accepted at 2 ×', part('accepted', of('critical')), CRITICAL_ACCEPTED, '%'),
    atLeast(
      '`low` jobs refused at 2 ×, beside all',
      part('refused', of('low')),
      percentOf(all, offered),
      '%',
    ),
    atMost('jobs refused at 0.9 ×', sum(under.priorities, 'refused'), 0, 'jobs'),
    atMost(
      'answers that are neither a 202 nor a documented refusal',
      sum(under.priorities, 'other') + sum(over.priorities, 'other'),
      0,
      'answers',
    ),
  ];
}

function tabulate(all: readonly Times[]): Table {
  return {
    header: ['', 'accepted', 'refused', 'accepted, %'],
    rows: all.flatMap(({ times, priorities: ofEach }) =>
      ofEach.map(({ priority, accepted, refused, other }) => [
        `${priority}, ${times} ×`,
        ...[accepted, refused, percentOf(accepted, accepted + refused + other)].map(writeFigure),
      ]),
    ),
  };
}

function draw({ priorities: ofEach }: Times): string {
  return drawLines({
    title: 'Accepted at twice what can be done',
    x: { label: 'seconds' },
    y: { label: '% of those that came' },
    series: ofEach.map(({ priority, acceptedBySecond }) => ({
      label: priority,
      points: pointsBySecond(acceptedBySecond),
      isMain: priority === 'critical',
    })),
  });
}

function sum(ofEach: readonly OfPriority[], what: 'accepted' | 'refused' | 'other'): number {
  return ofEach.reduce((total, one) => total + one[what], 0);
}
