import { countOpenDeadLetters } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import { countJobsWithoutBuild } from '@accepted/shared/ledger/jobs/jobs-without-build';
import { countMisplacedInFlight } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { listAdaptiveLimits } from '@accepted/shared/ledger/limits/adaptive-limits';
import { countBreakers } from '@accepted/shared/ledger/outbound/breakers';
import { readCounters } from '@accepted/shared/ledger/queues/counters';
import { readEngineState } from '@accepted/shared/ledger/workers/workers';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { createMetrics, type Measurement } from '../metrics/create-metrics.ts';
import { createProcessMetrics } from '../metrics/process-metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Writes all metrics as text; measures at most once a second however many ask. */
    writeMetrics(): Promise<{ contentType: string; text: string }>;
  }
}

const TTL_MS = 1_000;

/** Makes metrics of what the ledger knows, so that every API process shows the same, and of what only this one does. */
export const metrics = fp(async (app) => {
  const cache = new LRUCache<'measurement', Measurement>({
    max: 1,
    ttl: TTL_MS,
    fetchMethod: async () => {
      const [ofJobs, ofOthers] = await Promise.all([measureJobs(app), measureOthers(app)]);
      return { ...ofJobs, ...ofOthers };
    },
  });
  const ofProcess = createProcessMetrics(app.pools, app, app.predictionErrors.ratios);
  const { write, contentType } = createMetrics(() => cache.forceFetch('measurement'), ofProcess);
  app.decorate('writeMetrics', async () => ({ contentType, text: await write() }));
});

async function measureJobs(app: FastifyInstance) {
  const [queues, withoutBuild, openDeadLetters, misplacedInFlight] = await Promise.all([
    app.readQueueStatistics(),
    countJobsWithoutBuild(app.db),
    countOpenDeadLetters(app.db),
    countMisplacedInFlight(app.db),
  ]);
  return { queues, withoutBuild, openDeadLetters, misplacedInFlight };
}

async function measureOthers(app: FastifyInstance) {
  const [totals, engine, breakers, adaptiveLimits, hotspots] = await Promise.all([
    readCounters(app.db),
    readEngineState(app.db),
    countBreakers(app.db),
    listAdaptiveLimits(app.db),
    app.readHotspots(),
  ]);
  return { totals, engine, breakers, adaptiveLimits, hotspots };
}
