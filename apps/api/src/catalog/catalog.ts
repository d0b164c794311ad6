import { listQueueNames } from '@accepted/shared/ledger/queues/queue-names';
import { listCatalog } from '@accepted/shared/ledger/workers/catalog';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { longestText } from '../submit/longest-text.ts';
import { createPayloadChecks, type KnownJobType } from './payload-checks.ts';

/** The job types and queues that workers have registered, as of a few seconds ago at most. */
export interface CatalogSnapshot {
  types: ReadonlyMap<string, KnownJobType>;
  queues: ReadonlySet<string>;
}

export interface Catalog {
  /**
   * Answers what was read of late and has it read again in time. Never waits: `undefined` when nobody asked for so long
   * that other types may be in force now.
   */
  atHand(): CatalogSnapshot | undefined;
  /** Reads the catalog if what is at hand is too old; an outage of Postgres leaves the last one in force. */
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
/** While requests come in, the catalog is read again as soon as it is as old as `TTL_MS`; this leaves time to do so. */
const TOO_OLD_MS = 3_000;

/** Keeps the catalog at hand, with a compiled validator a type. `maxBodyBytes` is the largest request that is taken. */
export const catalog = fp<{ maxBodyBytes: number }>(async (app, { maxBodyBytes }) => {
  const payloadChecks = createPayloadChecks({
    onBrokenSchema: (type, error) => {
      app.log.error(
        { err: error, type },
        'the payload schema cannot be compiled, so the worker alone checks payloads',
      );
    },
    onNewSchema: warnOfLongText,
    isQuick: (schema) => app.checkThreads.isQuick(schema),
  });

  function warnOfLongText(type: string, schema: object): void {
    const maxLength = longestText(schema)?.length ?? 0;
    if (maxLength <= maxBodyBytes) return;
    app.log.warn(
      { type, maxLength, maxBodyBytes },
      'the payload schema takes a text that no request can hold',
    );
  }

  let last: CatalogSnapshot | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  async function readCatalog(): Promise<CatalogSnapshot> {
    const startedAt = performance.now();
    const { admission } = app.pools;
    const [rows, queues] = await Promise.all([listCatalog(admission), listQueueNames(admission)]);
    readAt = startedAt;
    last = { types: payloadChecks.compile(rows), queues: new Set(queues) };
    return last;
  }

  const cache = new LRUCache<'catalog', CatalogSnapshot>({
    max: 1,
    ttl: TTL_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
    fetchMethod: async () => {
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
      const ageMs = performance.now() - readAt;
      // Where something was read before, `fetchMethod` gives that instead of an error.
      if (last && ageMs >= TTL_MS) void cache.fetch('catalog');
      return ageMs < TOO_OLD_MS ? last : undefined;
    },
    read: () => cache.forceFetch('catalog', { allowStale: false }),
    readFresh: () => {
      const forceRefresh = performance.now() - readAt > FRESH_MS;
      return cache.forceFetch('catalog', { forceRefresh, allowStale: false });
    },
  });
});
