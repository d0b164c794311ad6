import { now } from '../../noop.ts';
import { type Table, writeFigure } from '../../report/table.ts';
import type { Target } from '../../report/target.ts';
import { openSession } from '../../world/session.ts';
import { countByKind, countBySecond, percentileOrNone, percentOf } from '../load/figures.ts';
import type { Flooded } from '../load/flood.ts';
import { createPicker, type JobKind, type Mix, type Sender } from '../load/mix.ts';
import { runFlood, soon } from '../load/run-flood.ts';
import { type Received, startReceiver } from '../load/start-receiver.ts';
import type { OverloadPart, PartOptions } from '../part.ts';
import { drawLines, pointsBySecond } from '../report/draw-lines.ts';
import { atLeast, atMost } from '../report/goals.ts';
import { acceptedOverloaded } from '../world/accepted-overloaded.ts';
import { plainMix } from '../world/busy-workers.ts';

/** Jobs a second. */
const PER_SECOND = { others: { webhooks: 40, calls: 20 }, failing: { webhooks: 20, calls: 10 } };
const LEAST_THROUGHPUT = 0.95;
const MOST_SLOWER = 1.5;
const MOST_AGAIN_PERCENT = 10;
/** So long it may take until it is clear that a receiver fails. */
const NOTICED_AFTER_MS = 10_000;
const WARM_UP_MS = 2_000;
const START_RECEIVERS_MS = 1_000;

/** What came to the others of the jobs that were due in a stretch of time. */
interface Told {
  deliveredPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

interface FailingReceiver {
  /** What the API answered. */
  answers: Record<string, number>;
  before: Told;
  during: Told;
  othersBySecond: number[];
  failingBySecond: number[];
  first: number;
  again: number;
  /** More than one a second, from when it was clear on. */
  beyondProbes: number;
}

export const failingReceiver: OverloadPart = {
  name: 'failing-receiver',
  title: 'A receiver that fails, beside others',
  explanation:
    'A receiver is sent 20 webhooks and 10 calls (`http.request`) a second, and answers 500 for minutes; another one is sent twice as much, and answers 200. Counted is what comes to them: what was sent before is told by its `webhook-id` or `idempotency-key`. A probe is one request a second, from ten seconds after the first 500 on.',
  async run(options) {
    const { beforeSeconds, failingSeconds } = options.size.failingReceiver;
    const found = await measure(options);
    options.say(`failing-receiver: ${found.first} first tries and ${found.again} others while it failed`);
    return {
      goals: judge(found),
      tables: [
        { title: 'From when a job was due until the other receiver was told', table: tabulate(found) },
      ],
      plots: [
        {
          title: 'Requests that came to both receivers a second',
          svg: draw(found, beforeSeconds, beforeSeconds + failingSeconds),
        },
      ],
      figures: found,
    };
  },
};

async function measure({ servers, size }: PartOptions): Promise<FailingReceiver> {
  const { beforeSeconds, failingSeconds, afterSeconds } = size.failingReceiver;
  await using session = await openSession(servers, acceptedOverloaded);
  await session.startWorkers(1);
  const startAt = soon() + START_RECEIVERS_MS;
  const fails = {
    from: startAt + beforeSeconds * 1_000,
    until: startAt + (beforeSeconds + failingSeconds) * 1_000,
  };
  await using others = await startReceiver({ from: 0, until: 0 });
  await using failing = await startReceiver(fails);
  const sender: Sender = { name: 'all', headers: session.api.headers, weight: 1 };
  const mix = mixOf(sender, others.url, failing.url);
  const seconds = beforeSeconds + failingSeconds + afterSeconds;
  const perSecond = mix.kinds.reduce((sum, { weight }) => sum + weight, 0);
  const flooded = await runFlood(session, { mix, load: { perSecond, seconds }, startAt, firstN: 1 });
  const [toOthers, toFailing] = [await others.listReceived(), await failing.listReceived()];
  const pick = createPicker(mix);
  const isOthers = (n: number) => isToldTo(others.url, pick(n).kind);
  const timesOf = (received: Received[]) => received.map(({ at }) => at);
  const whileFailing = toFailing.filter(({ at }) => at >= fails.from && at < fails.until);
  const told = (from: number, until: number) => sumUp(flooded, toOthers, isOthers, from, until);
  return {
    answers: countByKind(flooded.answers),
    before: told(startAt + WARM_UP_MS, fails.from),
    during: told(fails.from, fails.until),
    othersBySecond: countBySecond(timesOf(toOthers), startAt, seconds),
    failingBySecond: countBySecond(timesOf(toFailing), startAt, seconds),
    first: whileFailing.filter(({ isAgain }) => !isAgain).length,
    again: whileFailing.filter(({ isAgain }) => isAgain).length,
    beyondProbes: countBeyondProbes(timesOf(whileFailing), fails.from, failingSeconds),
  };
}

function mixOf(sender: Sender, othersUrl: string, failingUrl: string): Mix {
  const kindsOf = (url: string, { webhooks, calls }: (typeof PER_SECOND)['others']) => [
    { type: 'overload.mail', workMs: 5, webhookUrl: url, weight: webhooks },
    { type: 'http.request', callUrl: url, weight: calls },
  ];
  const kinds = [...kindsOf(othersUrl, PER_SECOND.others), ...kindsOf(failingUrl, PER_SECOND.failing)];
  return plainMix(sender, { kinds });
}

function isToldTo(url: string, { webhookUrl, callUrl }: JobKind): boolean {
  return webhookUrl === url || callUrl === url;
}

/** What has not come counts with the time that it has waited. */
function sumUp(
  { answers }: Flooded,
  received: readonly Received[],
  isOthers: (n: number) => boolean,
  from: number,
  until: number,
): Told {
  const receivedAt = new Map(received.toReversed().map(({ n, at }) => [n, at]));
  const due = answers.filter(({ n, dueAt }) => isOthers(n) && dueAt >= from && dueAt < until);
  const took = due.map(({ n, dueAt }) => (receivedAt.get(n) ?? now()) - dueAt);
  const delivered = received.filter(({ at }) => at >= from && at < until).length;
  return {
    deliveredPerSecond: (delivered / (until - from)) * 1_000,
    p50Ms: percentileOrNone(took, 0.5),
    p99Ms: percentileOrNone(took, 0.99),
  };
}

function countBeyondProbes(moments: readonly number[], from: number, seconds: number): number {
  const noticed = NOTICED_AFTER_MS / 1_000;
  const bySecond = countBySecond(moments, from, seconds).slice(noticed);
  return bySecond.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
}

function judge({ before, during, first, again, beyondProbes }: FailingReceiver): Target[] {
  const throughput = during.deliveredPerSecond / before.deliveredPerSecond;
  return [
    atLeast('what comes to the other receiver a second, to before', throughput, LEAST_THROUGHPUT, '×'),
    atMost('until the other receiver is told, p99, to before', during.p99Ms / before.p99Ms, MOST_SLOWER, '×'),
    atMost('requests to the failing receiver beyond probes', beyondProbes, 0, 'requests'),
    atMost('of them what was sent before, to first tries', percentOf(again, first), MOST_AGAIN_PERCENT, '%'),
  ];
}

function tabulate({ before, during }: FailingReceiver): Table {
  const row = (name: string, { deliveredPerSecond, p50Ms, p99Ms }: Told) => [
    name,
    ...[deliveredPerSecond, p50Ms, p99Ms].map(writeFigure),
  ];
  return {
    header: ['', 'told/s', 'p50 ms', 'p99 ms'],
    rows: [row('before', before), row('while the first one fails', during)],
  };
}

function draw({ othersBySecond, failingBySecond }: FailingReceiver, from: number, to: number): string {
  return drawLines({
    title: 'Requests that came a second',
    x: { label: 'seconds' },
    y: { label: 'requests/s' },
    series: [
      { label: 'to the other receiver', points: pointsBySecond(othersBySecond), isMain: true },
      { label: 'to the one that fails', points: pointsBySecond(failingBySecond), isMain: false },
    ],
    during: { label: 'it answers 500', from, to },
  });
}
