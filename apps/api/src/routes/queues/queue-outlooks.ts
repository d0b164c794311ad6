import { type QueueOutlook, readOutlook } from '@accepted/shared/ledger/queues/queue-outlook';
import { type SketchedLine, sketchLines } from '@accepted/shared/ledger/queues/sketch-queue';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';

declare module 'fastify' {
  interface FastifyInstance {
    /** Looks at a queue as its dispatcher does, at most once a second however many ask. */
    outlookOf(queue: string): Promise<QueueOutlook>;
    /** Looks at what a tenant has waiting in a queue, at most once a second. */
    waitingLinesOf(queue: string, tenantId: string): Promise<SketchedLine[]>;
  }
}

const TTL_MS = 1_000;
const MAX_QUEUES = 100;
const MAX_TENANTS = 1_000;

/** Shares looks at the queues among all who ask why jobs wait. */
export const queueOutlooks = fp(async (app) => {
  const outlooks = new LRUCache<string, QueueOutlook>({
    max: MAX_QUEUES,
    ttl: TTL_MS,
    fetchMethod: (queue) => readOutlook(app.db, queue),
  });
  const lines = new LRUCache<string, SketchedLine[], { queue: string; tenantId: string }>({
    max: MAX_TENANTS,
    ttl: TTL_MS,
    fetchMethod: (_key, _stale, { context: { queue, tenantId } }) => sketchLines(app.db, queue, tenantId),
  });
  app.decorate('outlookOf', (queue) => outlooks.forceFetch(queue));
  app.decorate('waitingLinesOf', (queue, tenantId) =>
    lines.forceFetch(`${tenantId} ${queue}`, { context: { queue, tenantId } }),
  );
});
