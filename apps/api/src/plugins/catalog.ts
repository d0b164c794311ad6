import { listJobTypes } from '@accepted/shared/database/job-types';
import { listQueueNames } from '@accepted/shared/database/queue-estimates';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { createPayloadChecks, type KnownJobType } from '../submit/payload-checks.ts';

/** The job types and queues that workers have registered, as of a few seconds ago at most. */
export interface CatalogSnapshot {
  types: ReadonlyMap<string, KnownJobType>;
  queues: ReadonlySet<string>;
}

export interface Catalog {
  /** Answers what was read last, if anything was, and has it read again when it is too old. Never waits. */
  atHand(): CatalogSnapshot | undefined;
  /** Reads the catalog; an outage of Postgres leaves the last one in force. */
  read(): Promise<CatalogSnapshot>;
  /** Reads it anew, at most a few times a second: for when something just registered seems to be missing. */
  readFresh(): Promise<CatalogSnapshot>;
}

declare module 'fastify' {
  interface FastifyInstance {
    catalog: Catalog;
  }
}

const TTL_MS = 2_000;
const FRESH_MS = 250;

/** Keeps the catalog at hand, with a compiled validator a type. */
export const catalog = fp(async (app) => {
  const payloadChecks = createPayloadChecks((type, error) => {
    app.log.error(
      { err: error, type },
      'the payload schema cannot be compiled, so the worker alone checks payloads',
    );
  });
  let readAt = Number.NEGATIVE_INFINITY;

  async function readCatalog(): Promise<CatalogSnapshot> {
    const [rows, queues] = await Promise.all([listJobTypes(app.db), listQueueNames(app.db)]);
    readAt = performance.now();
    const types = new Map(rows.map((row) => [row.type, payloadChecks.known(row)]));
    return { types, queues: new Set(queues) };
  }

  const cache = new LRUCache<'catalog', CatalogSnapshot>({
    max: 1,
    ttl: TTL_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
    fetchMethod: async (_key, last) => {
      try {
        return await readCatalog();
      } catch (error) {
        // Not left to `allowStaleOnFetchRejection`: where nothing was read before, that hides what went wrong.
        if (last) return last;
        throw error;
      }
    },
  });

  app.decorate('catalog', {
    atHand() {
      const snapshot = cache.get('catalog');
      // Where something was read before, `fetchMethod` gives that instead of an error.
      if (snapshot && cache.getRemainingTTL('catalog') <= 0) void cache.fetch('catalog');
      return snapshot;
    },
    read: () => cache.forceFetch('catalog'),
    readFresh: () => {
      const forceRefresh = performance.now() - readAt > FRESH_MS;
      return cache.forceFetch('catalog', { forceRefresh, allowStale: false });
    },
  });
});
