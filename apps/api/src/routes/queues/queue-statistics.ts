import { listRules, type Rules } from '@accepted/shared/ledger/limits/rules';
import {
  countAllWaiting,
  countInFlight,
  countWaitingOf,
  type JobsInFlight,
  listQueueWorkers,
  type QueueWorkers,
  type WaitingJobs,
} from '@accepted/shared/ledger/queues/queue-statistics';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';

/** How busy a queue is: over all tenants, or with the jobs of one. */
export interface QueueStatistics {
  name: string;
  queued: number;
  /** How many of the queued jobs are dispatched and not claimed. */
  inDelivery: number;
  running: number;
  scheduled: number;
  retrying: number;
  /** How long the job that has been due the longest has waited. */
  oldestWaitMs: number | null;
  /** Over all tenants; `null` in the share of one, as it tells of the others. */
  finishedPerSecond: number | null;
  workers: number;
  concurrency: number;
  /** Live ones that take no jobs for a while, as they are far slower than others. */
  slowWorkers: number;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Measures all queues over all tenants, at most once a second however many ask. */
    readQueueStatistics(): Promise<QueueStatistics[]>;
    /** What operators have laid down for the queues, as it was a second ago at most. */
    readQueueRules(): Promise<ReadonlyMap<string, Rules>>;
    /** Measures what one tenant has in all queues, at most once a second however often it asks. */
    readTenantShare(tenantId: string): Promise<QueueStatistics[]>;
  }
}

const TTL_MS = 1_000;
/** Tenants whose share is remembered. */
const MAX_SHARES = 1_000;

/** Shares measurements of the queues among all who ask: counting a backlog costs Postgres something. */
export const queueStatistics = fp(async (app) => {
  const atWork = new LRUCache<'atWork', AtWork>({
    max: 1,
    ttl: TTL_MS,
    fetchMethod: async () => {
      const [workers, inFlight] = await Promise.all([listQueueWorkers(app.db), countInFlight(app.db)]);
      return { workers, inFlight };
    },
  });
  const whole = new LRUCache<'whole', QueueStatistics[]>({
    max: 1,
    ttl: TTL_MS,
    fetchMethod: async () => {
      const [waiting, allAtWork] = await Promise.all([countAllWaiting(app.db), atWork.forceFetch('atWork')]);
      return combine(waiting, allAtWork);
    },
  });
  const shares = new LRUCache<string, QueueStatistics[]>({
    max: MAX_SHARES,
    ttl: TTL_MS,
    fetchMethod: async (tenantId) => {
      const [waiting, { workers, inFlight }] = await Promise.all([
        countWaitingOf(app.db, tenantId),
        atWork.forceFetch('atWork'),
      ]);
      const own = { workers, inFlight: inFlight.filter((jobs) => jobs.tenantId === tenantId) };
      return combine(waiting, own).map((queue) => ({ ...queue, finishedPerSecond: null }));
    },
  });
  const rules = new LRUCache<'rules', ReadonlyMap<string, Rules>>({
    max: 1,
    ttl: TTL_MS,
    fetchMethod: () => listRules(app.db, 'queue'),
  });
  app.decorate('readQueueRules', () => rules.forceFetch('rules'));
  app.decorate('readQueueStatistics', () => whole.forceFetch('whole'));
  app.decorate('readTenantShare', (tenantId) => shares.forceFetch(tenantId));
});

/** What is measured for all tenants at once, as it is no more than the workers can hold. */
interface AtWork {
  workers: QueueWorkers[];
  inFlight: JobsInFlight[];
}

function combine(waiting: WaitingJobs[], { workers, inFlight }: AtWork): QueueStatistics[] {
  const workersOf = new Map(workers.map((row) => [row.queue, row]));
  const inFlightOf = Map.groupBy(inFlight, ({ queue }) => queue);
  return waiting.map(({ queue, ready, scheduled, retrying, oldestWaitMs }) => {
    const jobs = inFlightOf.get(queue) ?? [];
    const served = workersOf.get(queue);
    const inDelivery = sum(jobs.map(({ dispatched }) => dispatched));
    return {
      name: queue,
      queued: ready + inDelivery,
      inDelivery,
      running: sum(jobs.map(({ running }) => running)),
      scheduled,
      retrying,
      oldestWaitMs: longest([oldestWaitMs, ...jobs.map((row) => row.oldestWaitMs)]),
      finishedPerSecond: served?.finishedPerSecond ?? 0,
      workers: served?.workers ?? 0,
      concurrency: served?.concurrency ?? 0,
      slowWorkers: served?.slowWorkers ?? 0,
    };
  });
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** A wait that has not begun, by a clock of ours that is ahead, is none yet. */
function longest(waitsMs: (number | null)[]): number | null {
  const known = waitsMs.filter((wait) => wait !== null);
  return known.length === 0 ? null : Math.max(0, ...known);
}
