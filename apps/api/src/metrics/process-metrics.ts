import { watchConnections } from '@accepted/shared/ledger/connection/connect';
import { Gauge, Histogram, type Metric } from 'prom-client';
import type { Writing } from '../admission/writing.ts';
import type { Door } from '../connections/door.ts';
import type { Doors } from '../connections/doors.ts';
import { GROUPS } from '../pools/pool-sizes.ts';
import type { Pools } from '../pools/pools.ts';

/** From what hardly anybody notices to what a caller of whom nobody is waited for any more has waited. */
const WAITS_SECONDS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 0.8];

/** From as good as right to what nobody waits for any more. */
const ERROR_RATIOS = [1.02, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.5, 3, 4, 6, 9.99];

/** Names what is of this process, and not of the whole installation. */
export const PROCESS_METRIC_LABELS = {
  accepted_pool_wait_seconds: ['pool'],
  accepted_pool_connections: ['pool', 'state'],
  accepted_writing_limit_jobs: [],
  accepted_requests_under_way: ['door'],
  accepted_request_limit: ['door'],
  accepted_prediction_error_ratio: [],
} satisfies Record<string, string[]>;

/** Makes the metrics of what only this process knows. */
export function createProcessMetrics(
  pools: Pools,
  { writing, doors }: { writing: Pick<Writing, 'size'>; doors: Pick<Doors, 'byName'> },
  predictionErrors: Metric,
): Metric[] {
  return [...poolMetrics(pools), writingLimit(writing), ...doorMetrics(doors), predictionErrors];
}

/** Makes the metric of how far off predictions were. */
export function predictionErrorRatios(): Histogram {
  return new Histogram({
    name: 'accepted_prediction_error_ratio',
    help: 'By which factor waits until jobs started were off that this process foresaw, from 1 on; of waits of half a second and more.',
    buckets: ERROR_RATIOS,
    registers: [],
  });
}

function poolMetrics(pools: Pools): Metric[] {
  const name = 'accepted_pool_wait_seconds';
  const waits = new Histogram({
    name,
    help: 'How long this process waited for a connection to PostgreSQL: one that is made, or that others have.',
    labelNames: PROCESS_METRIC_LABELS[name],
    buckets: WAITS_SECONDS,
    registers: [],
  });
  const counted = GROUPS.map((pool) => {
    waits.zero({ pool });
    return { pool, counts: watchConnections(pools[pool], (ms) => waits.observe({ pool }, ms / 1_000)) };
  });
  const connections = new Gauge({
    name: 'accepted_pool_connections',
    help: 'Connections of this process to PostgreSQL, and requests that wait for one.',
    labelNames: PROCESS_METRIC_LABELS.accepted_pool_connections,
    registers: [],
    collect() {
      for (const { pool, counts } of counted)
        for (const [state, count] of Object.entries(counts())) this.set({ pool, state }, count);
    },
  });
  return [waits, connections];
}

function doorMetrics({ byName }: Pick<Doors, 'byName'>): Metric[] {
  const gauge = (name: string, help: string, of: keyof ReturnType<Door['sizes']>) =>
    new Gauge({
      ...{ name, help, labelNames: ['door'], registers: [] },
      collect() {
        for (const [door, { sizes }] of Object.entries(byName)) this.set({ door }, sizes()[of]);
      },
    });
  return [
    gauge('accepted_requests_under_way', 'Requests that this process works on.', 'inside'),
    gauge('accepted_request_limit', 'How many it may work on: fewer while their turns come late.', 'limit'),
  ];
}

function writingLimit(writing: Pick<Writing, 'size'>): Metric {
  return new Gauge({
    name: 'accepted_writing_limit_jobs',
    help: 'How many jobs of the lowest priority may wait for PostgreSQL in this process: fewer while it is slow.',
    registers: [],
    collect() {
      this.set(writing.size());
    },
  });
}
