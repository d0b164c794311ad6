import type { JobStatus } from '@accepted/shared/core/job/status';
import { type QueueLoad, readQueueLoad } from '@accepted/shared/ledger/queues/queue-estimates';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { retryAfterSeconds, secondsToFinish } from '../../changes/retry-after.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Estimates `Retry-After` in seconds for a job; `undefined` when it is finished. Never waits for Postgres. */
    retryAfterOf(job: { queue: string; status: JobStatus; run_at: Date }): number | undefined;
    /** Estimates in how many seconds so many jobs of a queue are done. Never waits for Postgres. */
    secondsToFinish(queue: string, jobs: number): number;
    /** Estimates how many jobs of a queue are done a second; 1 where nobody knows. Never waits for Postgres. */
    finishedPerSecond(queue: string): number;
  }
}

const TTL_MS = 1_000;

/** Measures how fast queues drain, at most once a second each, and only those that somebody asks about. */
export const estimates = fp(async (app) => {
  const loads = new LRUCache<string, QueueLoad>({
    max: 1_000,
    ttl: TTL_MS,
    allowStale: true,
    allowStaleOnFetchRejection: true,
    noDeleteOnFetchRejection: true,
    noDeleteOnStaleGet: true,
    fetchMethod: async (queue) => await readQueueLoad(app.db, queue),
  });

  const measure = (queue: string) =>
    loads.fetch(queue).catch((error: unknown) => app.log.debug({ err: error }, 'cannot measure a queue'));

  function loadOf(queue: string): QueueLoad | undefined {
    const load = loads.get(queue);
    if (loads.getRemainingTTL(queue) <= 0) void measure(queue);
    return load;
  }

  app.decorate('retryAfterOf', (job) => retryAfterSeconds(job, loadOf(job.queue), new Date()));
  app.decorate('secondsToFinish', (queue, jobs) => secondsToFinish(jobs, loadOf(queue)));
  app.decorate('finishedPerSecond', (queue) => {
    const load = loadOf(queue);
    return load?.finishedPerSecond || load?.concurrency || 1;
  });
});
