import { describe, expect, test } from 'vitest';
import { createLatencyLimit, type LatencyLimit, type Writer } from './latency-limit.ts';

const [CRITICAL, NORMAL, LOW] = [0, 2, 3];
const BOUNDS = { budgetMs: 50, least: 100, most: 2_000 };
/** As the API writes them: so many batches at once, of so many jobs. */
const [BATCHES, BATCH_SIZE] = [3, 250];

interface Arrivals extends Writer {
  perSecond: number;
  fromS?: number;
  toS?: number;
}

interface World {
  seconds: number;
  arrivals: Arrivals[];
  /** How long the server takes for a batch, beside so many others. */
  takesMs: (rows: number, atOnce: number, nowMs: number) => number;
  /** Nothing is done or noticed in this process meanwhile. */
  isPaused?: (nowMs: number) => boolean;
}

interface Job extends Writer {
  atMs: number;
  isLetIn: boolean;
  /** Until it was written. */
  waitedMs: number;
}

interface Batch {
  jobs: Job[];
  endsAtMs: number;
  answered: (nowMs: number) => void;
}

/** Lets jobs in, or not, and has them written as they come, a millisecond at a time. */
function run({ seconds, arrivals, takesMs, isPaused = () => false }: World) {
  const limit = createLatencyLimit(BOUNDS);
  const [jobs, sizes, batchMs]: [Job[], number[], number[]] = [[], [], []];
  let [waiting, writing, mostInside]: [Job[], Batch[], number] = [[], [], 0];
  const due = arrivals.map(() => 0);
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 1) {
    if (isPaused(nowMs)) continue;
    const ended = writing.filter(({ endsAtMs }) => endsAtMs <= nowMs);
    writing = writing.filter(({ endsAtMs }) => endsAtMs > nowMs);
    for (const batch of ended) end(limit, batch, nowMs);
    for (const [place, one] of arrivals.entries()) {
      const { fromS = 0, toS = seconds, perSecond, tenantId, priority } = one;
      const lastedS = Math.max(0, Math.min(nowMs / 1_000, toS) - fromS);
      for (; (due[place] ?? 0) < lastedS * perSecond; due[place] = (due[place] ?? 0) + 1) {
        const isLetIn = limit.enter({ tenantId, priority }, nowMs);
        const job = { tenantId, priority, atMs: nowMs, isLetIn, waitedMs: 0 };
        jobs.push(job);
        if (isLetIn) waiting.push(job);
      }
    }
    while (writing.length < BATCHES && waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_SIZE);
      waiting = waiting.slice(BATCH_SIZE);
      const tookMs = takesMs(batch.length, writing.length + 1, nowMs);
      batchMs[nowMs] = tookMs;
      writing.push({ jobs: batch, endsAtMs: nowMs + tookMs, answered: limit.ask(nowMs) });
    }
    mostInside = Math.max(mostInside, waiting.length + writing.flatMap((batch) => batch.jobs).length);
    sizes[nowMs] = limit.size();
  }
  const between = <Value>(list: Value[], fromS: number, toS: number) =>
    list.slice(fromS * 1_000, toS * 1_000).filter((value) => value !== undefined);
  return {
    jobs: (fromS = 0, toS = seconds) =>
      jobs.filter(({ atMs }) => atMs >= fromS * 1_000 && atMs < toS * 1_000),
    sizes: (fromS: number, toS: number) => between(sizes, fromS, toS),
    batchMs: (fromS: number, toS: number) => between(batchMs, fromS, toS),
    mostInside: () => mostInside,
  };
}

function end(limit: LatencyLimit, { jobs, answered }: Batch, nowMs: number): void {
  for (const job of jobs) {
    job.waitedMs = nowMs - job.atMs;
    limit.leave(job);
  }
  answered(nowMs);
}

const come = (perSecond: number, priority = NORMAL, more: Partial<Arrivals> = {}): Arrivals => ({
  ...{ tenantId: 'a', priority, perSecond },
  ...more,
});
const letIn = (jobs: Job[]) => jobs.filter(({ isLetIn }) => isLetIn);
const part = (jobs: Job[]) => letIn(jobs).length / jobs.length;
const of = (jobs: Job[], priority: number) => jobs.filter((job) => job.priority === priority);
const percentile = (values: number[], p: number) =>
  values.toSorted((one, other) => one - other)[Math.ceil(p * values.length) - 1] ?? 0;
const waits = (jobs: Job[], p: number) =>
  percentile(
    letIn(jobs).map(({ waitedMs }) => waitedMs),
    p,
  );

const quickly = (rows: number) => 4 + rows / 50;
const inMs = (ms: number) => () => ms;
/** A server that can write 4,000 rows a second, and no more however many ask at once. */
const ofCapacity = (rows: number, atOnce: number) => Math.round(3 + (rows * atOnce) / 4);

describe('nobody is refused', () => {
  test('by a server that is quick, in a burst, or where the process pauses', () => {
    const arrivals = [come(3_000, LOW), come(1_500_000, LOW, { fromS: 5, toS: 5.001 })];
    const isPaused = (nowMs: number) => nowMs % 2_000 > 1_800;
    expect(part(run({ seconds: 10, arrivals, takesMs: quickly, isPaused }).jobs())).toBe(1);
  });

  test('because the server stood still for a moment', () => {
    const takesMs = (rows: number, _: number, nowMs: number) =>
      nowMs > 1_000 && nowMs < 1_300 ? 1_300 - nowMs : quickly(rows);
    expect(part(run({ seconds: 3, arrivals: [come(3_000, LOW)], takesMs }).jobs())).toBe(1);
  });

  test('by one that takes long for everything, while there are few', () => {
    const calm = run({ seconds: 10, arrivals: [come(200, LOW)], takesMs: inMs(200) });
    expect(part(calm.jobs())).toBe(1);
    expect(calm.mostInside()).toBeLessThanOrEqual(BOUNDS.least);
  });

  test('nor in a burst that comes then: how many such a server can write is not known', () => {
    const arrivals = [come(200, LOW), come(300_000, LOW, { fromS: 5, toS: 5.001 })];
    expect(part(run({ seconds: 10, arrivals, takesMs: inMs(200) }).jobs())).toBe(1);
  });

  test('in a burst soon after one that took long has come to be quick, however few there were', () => {
    const takesMs = (rows: number, _: number, nowMs: number) => (nowMs < 20_000 ? 200 : quickly(rows));
    const arrivals = [come(2_000, LOW, { toS: 20 }), come(1_500_000, LOW, { fromS: 45, toS: 45.001 })];
    const after = run({ seconds: 47, arrivals, takesMs });
    expect(part(after.jobs(0, 20))).toBeLessThan(0.5);
    expect(part(after.jobs(45, 47))).toBe(1);
  });
});

describe('of four times as much as the server can write', () => {
  const flood = run({
    seconds: 40,
    arrivals: [come(500, NORMAL, { toS: 1 }), come(16_000, NORMAL, { fromS: 1 })],
    takesMs: ofCapacity,
  });

  test('most of what it can is written, and the p95 of its answers comes to the budget within four seconds', () => {
    expect(letIn(flood.jobs(5, 39)).length / 34).toBeGreaterThan(3_400);
    expect(percentile(flood.batchMs(5, 40), 0.5)).toBeLessThanOrEqual(50);
    expect(percentile(flood.batchMs(5, 40), 0.95)).toBeLessThanOrEqual(75);
    expect(waits(flood.jobs(5, 39), 0.99)).toBeLessThanOrEqual(150);
  });

  test('the limit goes up and down by less than half of it', () => {
    const sizes = flood.sizes(5, 40);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(2);
  });
});

describe('a server that takes 200 ms for everything', () => {
  const slow = run({
    seconds: 20,
    arrivals: [come(100, CRITICAL), come(900, NORMAL), come(1_000, LOW)],
    takesMs: (rows, _, nowMs) => (nowMs > 2_000 && nowMs < 12_000 ? 200 : quickly(rows)),
  });

  test('has few to write at once, whose wait stays short', () => {
    expect(waits(slow.jobs(5, 11), 0.99)).toBeLessThanOrEqual(450);
    expect(letIn(slow.jobs(5, 11)).length / 6).toBeGreaterThan(400);
  });

  test('refuses what is low first, and nothing that is critical, and never all of anything', () => {
    const during = slow.jobs(5, 11);
    expect(part(of(slow.jobs(), CRITICAL))).toBe(1);
    expect(part(of(during, NORMAL))).toBeGreaterThan(0.25);
    expect(part(of(during, LOW))).toBeLessThan(0.1);
    expect(part(of(during, LOW))).toBeGreaterThan(0);
  });

  test('refuses nobody any more once it is quick again', () => {
    expect(part(slow.jobs(12.5))).toBe(1);
  });
});

test('while a server does not answer hardly anybody waits for it, and all are written once it does', () => {
  const takesMs = (rows: number, _: number, nowMs: number) =>
    nowMs > 2_000 && nowMs < 6_000 ? 6_000 - nowMs : quickly(rows);
  const hung = run({ seconds: 10, arrivals: [come(1_000)], takesMs });
  expect(part(hung.jobs(3, 5.9))).toBeLessThan(0.05);
  expect(hung.mostInside()).toBeLessThan(1_000);
  expect(part(hung.jobs(6.5))).toBe(1);
});

test('a tenant that sends little is not refused for one that floods, and one that sends more only where that is more urgent', () => {
  const beside = (priority: number, perSecond: number) => {
    const small = come(perSecond, NORMAL, { tenantId: 'b' });
    const world = run({ seconds: 10, arrivals: [come(5_000, priority), small], takesMs: inMs(200) });
    return part(world.jobs(4).filter(({ tenantId }) => tenantId === 'b'));
  };
  expect(beside(NORMAL, 20)).toBe(1);
  expect(beside(CRITICAL, 20)).toBe(1);
  expect(beside(CRITICAL, 100)).toBeLessThan(1);
});
