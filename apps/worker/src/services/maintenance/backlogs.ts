import type { Database } from '@accepted/shared/ledger/connection/connect';
import { countBacklogs, foldBacklogs } from '@accepted/shared/ledger/limits/backlogs';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

const FOLD_EVERY_MS = 1_000;
const IDLE_MS = 5_000;
/** Programs of the version before tell of no job: what they leave wrong is right again after so long. */
const COUNT_EVERY_MS = 600_000;
/** To count ten million jobs takes seconds. */
const MAY_TAKE_MS = 60_000;
const RETRY_AFTER_MS = 5_000;

/** Starts the loop that sums up how many live jobs queues and tenants have, so that whoever asks has little to add. */
export function startBacklogs(options: {
  db: Database;
  service?: OneService | undefined;
  onError: (error: unknown) => void;
}): Loop {
  const { db, service, onError } = options;
  let countedAtMs = Number.NEGATIVE_INFINITY;

  async function runOnce(): Promise<number> {
    if (performance.now() - countedAtMs > COUNT_EVERY_MS) {
      await countBacklogs(db);
      countedAtMs = performance.now();
      return FOLD_EVERY_MS;
    }
    return (await foldBacklogs(db)) > 0 ? FOLD_EVERY_MS : IDLE_MS;
  }

  return startLoop({ runOnce, retryAfterMs: RETRY_AFTER_MS, mayTakeMs: MAY_TAKE_MS, onError, service });
}
