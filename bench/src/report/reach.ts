import { isDeepStrictEqual } from 'node:util';
import type { ContenderName } from '../contenders/contender.ts';
import type { MeasureName, Sample, Variant } from '../measures/measure.ts';
import { spreadOf } from '../statistics/spread.ts';
import { ratiosOf, type Target } from './target.ts';

interface Wanted {
  name: string;
  measure: MeasureName;
  /** The row of the measure that counts. */
  variant: Variant;
  figure: string;
  ours: ContenderName;
  /** Left out where the bound is no ratio. */
  theirs?: ContenderName;
  /** Of a bound that is no ratio; `ms` when left out. */
  unit?: string;
  bound: number;
  wanted: Target['wanted'];
}

const ours = 'accepted-redis';
const SMALL = { payloadBytes: 200 };
const ONE_WORKER = { workers: 1 };
const accepted = { measure: 'accept', variant: SMALL, figure: 'jobsPerSecond', ours } as const;
const finished = { measure: 'throughput', variant: ONE_WORKER, figure: 'jobsPerSecond', ours } as const;
const atLeast = (bound: number) => ({ bound, wanted: 'at least' }) as const;
const atMost = (bound: number) => ({ bound, wanted: 'at most' }) as const;
const idle = { measure: 'pick-up', variant: {} } as const;

/** What Accepted is to reach beside the others. */
const WANTED: readonly Wanted[] = [
  { name: 'durable accept, to the limit', ...accepted, theirs: 'limit', ...atLeast(0.9) },
  { name: 'durable accept, to naive BullMQ', ...accepted, theirs: 'naive-bullmq', ...atLeast(0.9) },
  { name: 'durable accept, to hand-written', ...accepted, theirs: 'hand-written', ...atLeast(4) },
  {
    name: 'accept p99, to naive BullMQ',
    ...{ ...accepted, figure: 'p99Ms', theirs: 'naive-bullmq' },
    ...atMost(1),
  },
  { name: 'submit to result, to naive BullMQ', ...finished, theirs: 'naive-bullmq', ...atLeast(0.85) },
  { name: 'submit to result, to hand-written', ...finished, theirs: 'hand-written', ...atLeast(3.2) },
  { name: 'submit to result, to pg-boss', ...finished, theirs: 'pg-boss', ...atLeast(2) },
  { name: 'submit to result, to graphile-worker', ...finished, theirs: 'graphile-worker', ...atLeast(1.2) },
  {
    name: 'worker alone, to a bare BullMQ worker',
    ...{ measure: 'worker', variant: ONE_WORKER, figure: 'jobsPerSecond', ours, theirs: 'naive-bullmq' },
    ...atLeast(0.8),
  },
  { name: 'idle pick-up on Redis, p50', ...idle, figure: 'p50Ms', ours, ...atMost(3) },
  { name: 'idle pick-up on Redis, p99', ...idle, figure: 'p99Ms', ours, ...atMost(10) },
  {
    name: 'idle pick-up on Postgres, p50',
    ...{ ...idle, figure: 'p50Ms', ours: 'accepted-postgres' },
    ...atMost(4),
  },
  {
    name: 'idle pick-up on Postgres, p99',
    ...{ ...idle, figure: 'p99Ms', ours: 'accepted-postgres' },
    ...atMost(12),
  },
  { name: 'processor time a job, API', ...finished, figure: 'apiCpuUs', unit: 'µs', ...atMost(40) },
  { name: 'processor time a job, Postgres', ...finished, figure: 'postgresCpuUs', unit: 'µs', ...atMost(75) },
  { name: 'processor time a job, worker', ...finished, figure: 'workersCpuUs', unit: 'µs', ...atMost(50) },
  { name: 'processor time a job, Redis', ...finished, figure: 'redisCpuUs', unit: 'µs', ...atMost(8) },
];

/** Says what was reached, as far as the run has measured both sides. */
export function listReached(samples: readonly Sample[]): Target[] {
  return WANTED.flatMap(({ name, theirs, bound, wanted, unit = 'ms', ...row }) => {
    const mine = byRound(samples, row, row.ours);
    const others = theirs && byRound(samples, row, theirs);
    if (mine.size === 0 || others?.size === 0) return [];
    const measured = others ? ratiosOf(mine, others) : spreadOf([...mine.values()]);
    return [{ name, measured, bound, wanted, unit: others ? '×' : unit }];
  });
}

function byRound(
  samples: readonly Sample[],
  { measure, variant, figure }: Pick<Wanted, 'measure' | 'variant' | 'figure'>,
  contender: ContenderName,
): Map<number, number> {
  const matching = samples.filter(
    (sample) =>
      sample.measure === measure &&
      sample.contender === contender &&
      isDeepStrictEqual(sample.variant, variant),
  );
  return new Map(
    matching.flatMap(({ round, figures }) => {
      const value = figures[figure];
      return value === undefined ? [] : [[round, value] as const];
    }),
  );
}
