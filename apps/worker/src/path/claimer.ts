import { setTimeout as delay } from 'node:timers/promises';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import { type Database, isStatementTimeout } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { createBatcher } from '@accepted/shared/runtime/batching/batcher';
import type { Logger } from 'pino';

const MAX_BATCH_SIZE = 500;
/** One at a time: what comes meanwhile makes the next batch larger, and statements are what costs. */
const MAX_CONCURRENT_BATCHES = 1;
const RETRY_AFTER_MS = 250;

/** Claims delivered jobs, many in one statement. */
export interface Claimer {
  /** Takes the lease of a delivered job; `undefined` when there is nothing to run. */
  claim(dispatch: DispatchKey): Promise<ClaimedJob | undefined>;
  /** How many claims were asked for so far, and whether all of them are answered. */
  claims(): { asked: number; areAnswered: boolean };
  /** Whether a claim of this job has not been answered yet: the ledger may have committed it long ago. */
  isClaiming(jobId: string): boolean;
  /** Resolves when the claims that were asked for so far are answered. */
  drain(): Promise<void>;
}

/**
 * Makes a claimer. While Postgres is away it waits, for the delivery is still good when Postgres is back; once
 * `isClosing` it claims nothing more and takes the jobs back for others; what it cannot, the reconciler does.
 */
export function createClaimer(options: {
  db: Database;
  workerId: () => string | undefined;
  isClosing: () => boolean;
  logger: Logger;
}): Claimer {
  const { db, workerId, isClosing, logger } = options;
  const unanswered = new Set<DispatchKey>();
  let asked = 0;
  const batcher = createBatcher<DispatchKey, ClaimedJob | undefined>({
    maxBatchSize: MAX_BATCH_SIZE,
    maxConcurrentBatches: MAX_CONCURRENT_BATCHES,
    // Payloads come with the claims, and nobody knows before how large they are.
    mustSplit: isStatementTimeout,
    async flush(dispatches) {
      if (isClosing()) return await leaveToOthers(dispatches);
      const claimant = workerId();
      // The delivery is still good when this worker holds a lease again.
      if (claimant === undefined) throw new Error('This worker holds no lease just now.');
      const claimed = await claimJobs(db, claimant, dispatches);
      // What was claimed under a lease that has been lost meanwhile is the rescuer's.
      return dispatches.map((_, index) => (claimant === workerId() ? claimed[index] : undefined));
    },
  });

  /** What waits here unclaimed would not be missed for seconds: until its delivery is found lost or stalled. */
  async function leaveToOthers(dispatches: DispatchKey[]): Promise<undefined[]> {
    await takeBack(db, dispatches);
    return dispatches.map(() => undefined);
  }

  async function claim(dispatch: DispatchKey): Promise<ClaimedJob | undefined> {
    asked += 1;
    unanswered.add(dispatch);
    try {
      do {
        try {
          return await batcher.add(dispatch);
        } catch (error) {
          logger.warn({ err: error }, 'claiming failed; it is tried again');
          await delay(RETRY_AFTER_MS);
        }
      } while (!isClosing());
      return undefined;
    } finally {
      unanswered.delete(dispatch);
    }
  }

  return {
    claim,
    claims: () => ({ asked, areAnswered: unanswered.size === 0 }),
    isClaiming: (jobId) => unanswered.values().some((dispatch) => dispatch.id === jobId),
    drain: () => batcher.drain(),
  };
}
