import type { Database } from '@accepted/shared/ledger/connection/connect';
import { forgetMovements } from '@accepted/shared/ledger/jobs/forget-movements';
import { type Loop, startLoop } from '../loop.ts';

/** Longer than a dispatcher may go on with what it remembers of a queue. */
const INTERVAL_MS = 60_000;

/** Starts the loop that forgets what all dispatchers have heard long ago. */
export function startForgettingMovements(options: { db: Database; onError: (error: unknown) => void }): Loop {
  const { db, onError } = options;
  let before: string | undefined;

  async function runOnce(): Promise<number> {
    before = await forgetMovements(db, before);
    return INTERVAL_MS;
  }

  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError });
}
