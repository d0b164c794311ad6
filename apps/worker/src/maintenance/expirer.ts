import { expireJobs } from '@accepted/shared/database/cancel-jobs';
import type { Database } from '@accepted/shared/database/connect';
import { type Loop, startLoop } from '../loop.ts';

const BATCH = 500;
const INTERVAL_MS = 1_000;

/** Starts the loop that ends jobs which nobody started before their `expiresAt`. */
export function startExpirer(options: {
  db: Database;
  onExpired: (jobId: string) => void;
  onError: (error: unknown) => void;
}): Loop {
  async function runOnce(): Promise<number> {
    const expired = await expireJobs(options.db, BATCH);
    for (const jobId of expired) options.onExpired(jobId);
    return expired.length === BATCH ? 0 : INTERVAL_MS;
  }
  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError: options.onError });
}
