import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/database/connect';
import { addToCounters } from '@accepted/shared/database/counters';
import { type Loop, startLoop } from '../loop.ts';
import type { WorkerCounterName, WorkerCounters } from './worker-counters.ts';

/** What a stopping process gives Postgres to take the last numbers. */
const LAST_FLUSH_TIMEOUT_MS = 500;

/**
 * Starts adding what this process counted to the totals in the ledger, every `intervalMs`. A process that is killed
 * takes the last interval's numbers with it; numbers whose commit was not answered may count twice.
 */
export function startCounterFlush(options: {
  db: Database;
  counters: WorkerCounters;
  intervalMs: number;
  onError: (error: unknown) => void;
}): Pick<Loop, 'stop'> {
  const { db, counters, intervalMs, onError } = options;

  async function flush(): Promise<number> {
    const taken = counters.take();
    try {
      await addToCounters(db, taken);
    } catch (error) {
      for (const { name, queue, by, label } of taken)
        counters.add(name as WorkerCounterName, queue, by, label);
      throw error;
    }
    return intervalMs;
  }

  const loop = startLoop({ runOnce: flush, retryAfterMs: intervalMs, onError });
  return {
    async stop() {
      const flushed = loop.stop().then(flush).catch(onError);
      await Promise.race([flushed, delay(LAST_FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
