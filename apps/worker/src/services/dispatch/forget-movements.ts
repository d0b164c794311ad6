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
  let oldest: { transaction: string; readAtMs: number } | undefined;

  /** Whoever gets the service back is woken before the time. */
  async function runOnce(): Promise<number> {
    const goodInMs = oldest ? oldest.readAtMs + INTERVAL_MS - performance.now() : 0;
    if (goodInMs > 0) return goodInMs;
    if (oldest && (await forgetMovements(db, oldest.transaction, BATCH)) === BATCH) return 0;
    const readAtMs = performance.now();
    oldest = { transaction: await readOldestTransaction(db), readAtMs };
    return INTERVAL_MS;
  }

  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service });
}
