import type { Database } from '@accepted/shared/ledger/connection/connect';
import { nextDueInMs, queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

const BATCH = 1_000;
const MAX_WAIT_MS = 1_000;
const RETRY_AFTER_MS = 500;

/**
 * Starts the loop that makes scheduled and retrying jobs queued when their time has come, by the clock of Postgres,
 * and tells `queueHasWork` which queues got work. It sleeps until the next job is due, at most a second.
 */
export function startDueJobs(options: {
  db: Database;
  service?: OneService | undefined;
  queueHasWork: (queue: string) => void;
  onError: (error: unknown) => void;
}): Loop {
  async function runOnce(): Promise<number> {
    const queues = await queueDueJobs(options.db, BATCH);
    for (const queue of queues) options.queueHasWork(queue);
    const dueInMs = (await nextDueInMs(options.db)) ?? MAX_WAIT_MS;
    return Math.min(Math.max(Math.ceil(dueInMs), 1), MAX_WAIT_MS);
  }
  const { service, onError } = options;
  return startLoop({ runOnce, retryAfterMs: RETRY_AFTER_MS, onError, service });
}
