import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notifyIds } from '@accepted/shared/ledger/connection/notifications';
import { createBatcher } from '@accepted/shared/runtime/batching/batcher';

/**
 * Makes the function that tells waiting clients which jobs are finished. Only a hint, sent after the commit and never
 * waited for: whoever misses it polls.
 */
export function createAnnouncer(db: Database, onError: (error: unknown) => void): (jobId: string) => void {
  const batcher = createBatcher<string, void>({
    maxBatchSize: 1_000,
    maxConcurrentBatches: 1,
    async flush(ids) {
      await notifyIds(db, CHANNELS.jobFinished, ids);
      return ids.map(() => undefined);
    },
  });
  return (jobId) => void batcher.add(jobId).catch(onError);
}
