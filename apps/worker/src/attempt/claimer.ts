import { setTimeout as delay } from 'node:timers/promises';
import { createBatcher } from '@accepted/shared/batching/batcher';
import { claimJobs, type Delivery } from '@accepted/shared/database/claim-jobs';
import type { Database } from '@accepted/shared/database/connect';
import type { ClaimedJob } from '@accepted/shared/job/claimed-job';
import type { Logger } from 'pino';

const MAX_BATCH_SIZE = 200;
/** One at a time: what comes meanwhile makes the next batch larger, and statements are what costs. */
const MAX_CONCURRENT_BATCHES = 1;
const RETRY_AFTER_MS = 250;

/**
 * Makes the function that claims delivered jobs, many in one statement. While Postgres is away it waits, for the
 * delivery is still good when Postgres is back; once `isClosing` it lets go, and the reconciler brings the job back.
 */
export function createClaimer(options: {
  db: Database;
  workerId: () => string;
  isClosing: () => boolean;
  logger: Logger;
}): (delivery: Delivery) => Promise<ClaimedJob | undefined> {
  const batcher = createBatcher<Delivery, ClaimedJob | undefined>({
    maxBatchSize: MAX_BATCH_SIZE,
    maxConcurrentBatches: MAX_CONCURRENT_BATCHES,
    flush: (deliveries) => claimJobs(options.db, options.workerId(), deliveries),
  });
  return async (delivery) => {
    while (!options.isClosing()) {
      try {
        return await batcher.add(delivery);
      } catch (error) {
        options.logger.warn({ err: error, jobId: delivery.id }, 'claiming failed; it is tried again');
        await delay(RETRY_AFTER_MS);
      }
    }
    return undefined;
  };
}
