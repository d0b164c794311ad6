import { listQueueStatistics, type QueueStatistics } from '@accepted/shared/database/queue-estimates';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';

declare module 'fastify' {
  interface FastifyInstance {
    /** Measures all queues, at most once a second however many ask. */
    readQueueStatistics(): Promise<QueueStatistics[]>;
  }
}

const TTL_MS = 1_000;

/** Shares one measurement of the queues among all who ask: counting a backlog costs Postgres something. */
export const queueStatistics = fp(async (app) => {
  const cache = new LRUCache<'queues', QueueStatistics[]>({
    max: 1,
    ttl: TTL_MS,
    fetchMethod: async () => await listQueueStatistics(app.db),
  });
  app.decorate('readQueueStatistics', () => cache.forceFetch('queues'));
});
