import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { createWorkerCounters, type WorkerCounters } from '../metrics/worker-counters.ts';
import { startLoop } from './loop.ts';

/** What a stopping process gives Postgres to take the last numbers. */
const LAST_FLUSH_TIMEOUT_MS = 500;

/**
 * Starts counting, and adding what was counted to the totals in the ledger every `intervalMs`. A process that is
 * killed takes the last interval's numbers with it.
 */
export function startCounting(options: {
  db: Database;
  intervalMs: number;
  onError: (error: unknown) => void;
}): { counters: WorkerCounters; stopCounting(): Promise<void> } {
  const { db, intervalMs, onError } = options;
  const counters = createWorkerCounters();

  async function flush(): Promise<number> {
    await counters.flush(db);
    return intervalMs;
  }

  const loop = startLoop({ runOnce: flush, retryAfterMs: intervalMs, onError });
  return {
    counters,
    async stopCounting() {
      const flushed = loop.stop().then(flush).catch(onError);
      await Promise.race([flushed, delay(LAST_FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
