import { errorRatio } from '@accepted/shared/core/fairness/prediction-samples';
import { describe, expect, test } from 'vitest';
import { type Load, type Scenario, type SimulatedJob, SimulatedQueue } from './simulated-queue.ts';

/** Sorts by which factors the predictions were off. */
function errorsIn(
  scenario: Scenario,
  whose: (job: SimulatedJob) => boolean = () => true,
  when: (atMs: number, startedAtMs: number) => boolean = () => true,
): number[] {
  const queue = new SimulatedQueue(scenario);
  queue.run();
  return queue.jobs
    .filter(whose)
    .flatMap(({ told, startedAtMs }) =>
      startedAtMs === undefined
        ? []
        : told
            .filter(({ atMs }) => when(atMs, startedAtMs))
            .flatMap(({ atMs, waitMs }) => errorRatio(waitMs, startedAtMs - atMs) ?? []),
    )
    .sort((one, other) => one - other);
}

const quantile = (sorted: readonly number[], part: number) =>
  sorted[Math.floor(sorted.length * part)] ?? Number.NaN;

/** Ten handlers of 20 ms: 500 jobs a second. */
const WORKERS = { slots: 10, runMs: () => 20, seconds: 45 };
const load = (tenantId: string, priority: number, perSecond: number | Load['perSecond']): Load => ({
  ...{ tenantId, priority, perSecond: typeof perSecond === 'number' ? () => perSecond : perSecond },
});
/** So many a second for ten seconds, twice as many for the next ten, and so on. */
const changing = (perSecond: number) => (second: number) => (second % 20 < 10 ? perSecond : 2 * perSecond);
const backlog = (jobs: number, perSecond: number) => (second: number) => (second < 2 ? jobs / 2 : perSecond);

const SCENARIOS: Record<string, Scenario> = {
  'a queue that always has as much waiting': { ...WORKERS, loads: [load('a', 2, backlog(2_000, 490))] },
  'a load that doubles and halves': { ...WORKERS, loads: [load('a', 2, changing(350))] },
  'a burst that is worked off': {
    ...WORKERS,
    loads: [load('a', 2, (second) => (second % 20 < 2 ? 4_000 : 20))],
  },
  'few slow handlers': { slots: 4, runMs: () => 800, seconds: 200, loads: [load('a', 2, changing(4))] },
  'tenants with weights, all of which have more than their share': {
    ...WORKERS,
    weights: new Map([['a', 3]]),
    loads: [load('a', 2, changing(300)), load('b', 2, 300), load('c', 2, changing(200))],
  },
  'tenants of which some have less than their share': {
    ...WORKERS,
    loads: [load('a', 2, backlog(4_000, 350)), load('b', 2, changing(60)), load('c', 2, 100)],
  },
  'forty tenants': {
    ...WORKERS,
    loads: Array.from({ length: 40 }, (_, n) => load(`t${n}`, 2, n < 4 ? changing(60) : 6)),
  },
  'priorities, the least urgent of which has what others leave': {
    ...WORKERS,
    loads: [load('a', 0, changing(50)), load('a', 2, 200), load('a', 3, backlog(3_000, 200))],
  },
  'priorities and tenants': {
    ...WORKERS,
    loads: [
      ...[load('a', 1, changing(60)), load('a', 3, changing(100))],
      ...[load('b', 2, changing(120)), load('c', 3, changing(20))],
    ],
  },
  'urgent jobs that come twice as often from one moment on': {
    ...WORKERS,
    loads: [load('a', 1, (second) => (second < 25 ? 150 : 300)), load('a', 3, backlog(2_000, 200))],
  },
  'another process that lets in as many': {
    ...WORKERS,
    loads: [
      { ...load('a', 2, backlog(4_000, 350)), seenPart: 0.5 },
      { ...load('b', 2, 150), seenPart: 0.5 },
    ],
  },
};

describe('half of the predictions are off by a quarter at most, and 19 of 20 by a factor of two, in', () => {
  test.each(Object.entries(SCENARIOS))('%s', (_name, scenario) => {
    const errors = errorsIn(scenario);
    expect(errors.length).toBeGreaterThan(500);
    expect(quantile(errors, 0.5)).toBeLessThan(1.25);
    expect(quantile(errors, 0.95)).toBeLessThan(2);
  });
});

test('where the least urgent of a tenant have what is left of a load that swings, half are off by a quarter at most', () => {
  const loads = [
    load('a', 1, changing(80)),
    load('a', 3, 150),
    load('b', 2, changing(120)),
    load('c', 3, 30),
  ];
  const errors = errorsIn({ ...WORKERS, loads });
  expect(errors.length).toBeGreaterThan(500);
  expect(quantile(errors, 0.5)).toBeLessThan(1.25);
  // Nobody knows when it swings back.
  expect(quantile(errors, 0.95)).toBeLessThan(2.25);
});

test('who waits behind what others bring is told so', () => {
  const errors = errorsIn(
    SCENARIOS['priorities, the least urgent of which has what others leave'] as Scenario,
    ({ priority }) => priority === 3,
  );
  expect(errors.length).toBeGreaterThan(500);
  expect(quantile(errors, 0.5)).toBeLessThan(1.25);
});

test('handlers that take twice as long, or half, are noticed within two seconds', () => {
  const changesEveryMs = 10_000;
  const runMs = (second: number) => (second % 20 < 10 ? 20 : 40);
  const scenario = { ...WORKERS, runMs, loads: [load('a', 2, backlog(800, 330))] };
  const isInTime = (atMs: number, startedAtMs: number) =>
    atMs % changesEveryMs > 2_500 &&
    Math.floor(atMs / changesEveryMs) === Math.floor(startedAtMs / changesEveryMs);
  const errors = errorsIn(scenario, () => true, isInTime);
  expect(errors.length).toBeGreaterThan(500);
  expect(quantile(errors, 0.95)).toBeLessThan(1.25);
});
