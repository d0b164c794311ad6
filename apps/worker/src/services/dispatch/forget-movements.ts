import type { Database } from '@accepted/shared/ledger/connection/connect';
import { forgetMovements, readOldestTransaction } from '@accepted/shared/ledger/jobs/forget-movements';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

/** Longer than a dispatcher may go on with what it remembers of a queue (`PICTURE_MAX_AGE_MS`). */
const INTERVAL_MS = 60_000;
const BATCH = 10_000;

/** Starts the loop that forgets what all dispatchers have heard long ago. */
export function startForgettingMovements(options: {
  db: Database;
  service?: OneService | undefined;
  onError: (error: unknown) => void;
}): Loop {
  const { db, service, onError } = options;
  let oldest: string | undefined;

  async function runOnce(): Promise<number> {
    if (oldest !== undefined && (await forgetMovements(db, oldest, BATCH)) === BATCH) return 0;
    oldest = await readOldestTransaction(db);
    return INTERVAL_MS;
  }

  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service });
}
