import type { Database } from '@accepted/shared/ledger/connection/connect';
import { expireJob, expireJobs, listOverdueJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

const BATCH = 500;
const INTERVAL_MS = 1_000;

/** Starts the loop that ends jobs which nobody started before their `expiresAt`. */
export function startExpirer(options: {
  db: Database;
  service?: OneService | undefined;
  onExpired: (jobId: string) => void;
  onError: (error: unknown) => void;
}): Loop {
  const { db, service, onError } = options;

  async function runOnce(): Promise<number> {
    const expired = await expireJobs(db, BATCH).catch((error: unknown) => {
      onError(error);
      return expireOneByOne();
    });
    for (const jobId of expired) options.onExpired(jobId);
    return expired.length >= BATCH ? 0 : INTERVAL_MS;
  }

  /** A job that the ledger refuses to end keeps no other from it. */
  async function expireOneByOne(): Promise<string[]> {
    const expired: string[] = [];
    for (const job of await listOverdueJobs(db, BATCH)) {
      const hasExpired = await expireJob(db, job).catch(() => false);
      if (hasExpired) expired.push(job.id);
    }
    return expired;
  }

  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service });
}
