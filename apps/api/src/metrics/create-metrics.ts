import { publicId } from '@accepted/shared/core/job/id';
import type { JobsWithoutBuild } from '@accepted/shared/ledger/jobs/jobs-without-build';
import type { Hotspots } from '@accepted/shared/ledger/limits/hotspots';
import type { CounterTotal } from '@accepted/shared/ledger/queues/counters';
import type { EngineState } from '@accepted/shared/ledger/workers/workers';
import { Counter, Gauge, type Metric, type OpenMetricsContentType, Registry } from 'prom-client';
import type { QueueStatistics } from '../routes/queues/queue-statistics.ts';
import { PROCESS_METRIC_LABELS } from './process-metrics.ts';

/** What the metrics of one moment are made of. */
export interface Measurement {
  queues: QueueStatistics[];
  withoutBuild: JobsWithoutBuild[];
  openDeadLetters: { queue: string; count: number }[];
  breakers: { type: string; count: number }[];
  totals: CounterTotal[];
  engine: EngineState;
  misplacedInFlight: number;
  adaptiveLimits: { queue: string; type: string; most: number }[];
  hotspots: Hotspots;
}

type Row = [labels: Record<string, string>, value: number];

/** Says how a gauge is made of a measurement. */
interface GaugeDefinition {
  help: string;
  labels: string[];
  rows: (measurement: Measurement) => Row[];
}

const STATUSES = ['queued', 'running', 'scheduled', 'retrying'] as const;

const GAUGES: Record<string, GaugeDefinition> = {
  accepted_jobs: {
    help: 'Jobs by status, counted up to 50,000 each.',
    labels: ['queue', 'status'],
    rows: ({ queues }) =>
      queues.flatMap((queue) =>
        STATUSES.map((status): Row => [{ queue: queue.name, status }, queue[status]]),
      ),
  },
  accepted_queue_oldest_wait_seconds: {
    help: 'How long the job that has been due the longest has waited.',
    labels: ['queue'],
    rows: ({ queues }) =>
      queues.map(({ name, oldestWaitMs }) => [{ queue: name }, (oldestWaitMs ?? 0) / 1_000]),
  },
  accepted_queue_workers: {
    help: 'Live workers that serve the queue.',
    labels: ['queue'],
    rows: ({ queues }) => queues.map(({ name, workers }) => [{ queue: name }, workers]),
  },
  accepted_type_limit: {
    help: 'How many jobs of a type may be in flight as its handlers have become slow; of other types nothing is shown.',
    labels: ['queue', 'type'],
    rows: ({ adaptiveLimits }) => adaptiveLimits.map(({ queue, type, most }) => [{ queue, type }, most]),
  },
  accepted_queue_slow_workers: {
    help: 'Live workers of the queue that take no jobs for a while, as they are far slower than others.',
    labels: ['queue'],
    rows: ({ queues }) => queues.map(({ name, slowWorkers }) => [{ queue: name }, slowWorkers]),
  },
  accepted_engine_up: {
    help: 'Whether all live workers reach the queue engine, 1 or 0; NaN while no worker lives.',
    labels: [],
    rows: ({ engine }) => [[{}, engine.isUp === undefined ? Number.NaN : Number(engine.isUp)]],
  },
  accepted_engine_memory_used_ratio: {
    help: 'Which part of the memory that the queue engine may use is taken, from 0 to 1; NaN while no worker knows.',
    labels: [],
    rows: ({ engine }) => [[{}, engine.fullness ?? Number.NaN]],
  },
  accepted_jobs_without_build: {
    help: 'Queued jobs whose type no live worker has, or whose payload none of their schemas takes.',
    labels: ['queue', 'reason'],
    rows: ({ withoutBuild }) => withoutBuild.map(({ queue, reason, count }) => [{ queue, reason }, count]),
  },
  accepted_misplaced_jobs: {
    help: 'Jobs in flight that wait in another table as well, or have ended. Anything but 0 is a fault of ours. Only those in flight are looked at.',
    labels: [],
    rows: ({ misplacedInFlight }) => [[{}, misplacedInFlight]],
  },
  accepted_hot_tenant_jobs_per_second: {
    help: 'Jobs that come a second from each of the ten tenants that submit most, refused ones among them. Those of less than 1 are left out.',
    labels: ['tenant'],
    rows: ({ hotspots }) =>
      hotspots.tenants.map(({ tenantId, perSecond }) => [
        { tenant: publicId('tenant', tenantId) },
        perSecond,
      ]),
  },
  accepted_hot_key_jobs_per_second: {
    help: 'The same for the ten concurrency keys that most is submitted for.',
    labels: ['tenant', 'concurrency_key'],
    rows: ({ hotspots }) =>
      hotspots.keys.map(({ tenantId, concurrencyKey, perSecond }) => [
        { tenant: publicId('tenant', tenantId), concurrency_key: concurrencyKey },
        perSecond,
      ]),
  },
  accepted_dead_letters_open: {
    help: 'Dead letters that nobody has replayed or discarded, counted up to 50,000.',
    labels: ['queue'],
    rows: ({ openDeadLetters }) => openDeadLetters.map(({ queue, count }) => [{ queue }, count]),
  },
  accepted_circuit_breakers_open: {
    help: 'Circuit breakers that are not closed, by the type of the jobs that call.',
    labels: ['type'],
    rows: ({ breakers }) => breakers.map(({ type, count }) => [{ type }, count]),
  },
};

/** Says which total of the ledger a counter shows, and what its label means: one, or of what is of no queue several words. */
interface CounterDefinition {
  help: string;
  total: string;
  label?: string;
  words?: string[];
}

/** Prometheus wants a counter to be there before it first grows, so each of these starts at 0 in every queue. */
const COUNTERS: Record<string, CounterDefinition> = {
  accepted_attempts_total: { help: 'Attempts that ended.', total: 'attempts', label: 'outcome' },
  accepted_jobs_finished_total: {
    help: 'Jobs that workers finished.',
    total: 'jobs_finished',
    label: 'status',
  },
  accepted_dead_letters_created_total: { help: 'Jobs that failed for good.', total: 'dead_letters_created' },
  accepted_fenced_results_total: {
    help: 'Results that were refused because somebody else held the job.',
    total: 'fenced',
  },
  accepted_redispatched_jobs_total: {
    help: 'Jobs that the engine had lost and that were dispatched again.',
    total: 'redispatched',
  },
  accepted_rescued_jobs_total: {
    help: 'Attempts that ended because their worker was lost.',
    total: 'rescued',
  },
  accepted_circuit_breakers_opened_total: {
    help: 'How often a circuit breaker was opened, by the type of the jobs that call.',
    total: 'breakers_opened',
    label: 'type',
  },
  accepted_held_jobs_total: {
    help: 'How often a job did not run because what it calls does not answer.',
    total: 'jobs_held',
  },
  accepted_jobs_admitted_total: { help: 'Jobs that the API accepted.', total: 'jobs_admitted' },
  accepted_requests_refused_total: {
    help: 'Requests that the API refused because there was too much, by the code of the answer and the policy that it names.',
    total: 'requests_refused',
    words: ['code', 'policy'],
  },
};

/** Names every metric with its labels, for those who check alert rules against them. */
export const METRIC_LABELS: Record<string, string[]> = {
  ...Object.fromEntries(Object.entries(GAUGES).map(([name, { labels }]) => [name, labels])),
  ...Object.fromEntries(Object.entries(COUNTERS).map(([name, definition]) => [name, labelsOf(definition)])),
  ...PROCESS_METRIC_LABELS,
};

/** Makes the metrics, those of the process among them; `write` measures once and writes OpenMetrics 1.0 text. */
export function createMetrics(
  measure: () => Promise<Measurement>,
  ofProcess: readonly Metric[],
): {
  contentType: string;
  write(): Promise<string>;
} {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of ofProcess) registry.registerMetric(metric);
  const registers = [registry];
  const gauges = Object.entries(GAUGES).map(([name, { help, labels, rows }]) => {
    return { metric: new Gauge({ name, help, labelNames: labels, registers }), rows };
  });
  const counters = Object.entries(COUNTERS).map(([name, definition]) => {
    const { help } = definition;
    const metric = new Counter({ name, help, labelNames: labelsOf(definition), registers });
    return { metric, rows: (measurement: Measurement) => totalRows(measurement, definition) };
  });

  return {
    contentType: registry.contentType,
    async write() {
      const measurement = await measure();
      for (const { metric, rows } of gauges) {
        metric.reset();
        for (const [labels, value] of rows(measurement)) metric.set(labels, value);
      }
      for (const { metric, rows } of counters) {
        metric.reset();
        for (const [labels, value] of rows(measurement)) metric.inc(labels, value);
      }
      return await registry.metrics();
    },
  };
}

function labelsOf({ label, words }: CounterDefinition): string[] {
  return words ?? ['queue', ...(label === undefined ? [] : [label])];
}

function totalRows({ queues, totals }: Measurement, { total, label, words }: CounterDefinition): Row[] {
  const rows = totals.filter(({ name }) => name === total);
  if (words)
    return rows.map((row) => {
      const given = row.label.split(' ');
      return [Object.fromEntries(words.map((word, place) => [word, given[place] ?? ''])), row.total];
    });
  if (label !== undefined) return rows.map((row) => [{ queue: row.queue, [label]: row.label }, row.total]);
  const totalOf = new Map(rows.map((row) => [row.queue, row.total]));
  for (const { name: queue } of queues) if (!totalOf.has(queue)) totalOf.set(queue, 0);
  return [...totalOf].map(([queue, total]) => [{ queue }, total]);
}
