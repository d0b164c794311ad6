import type { Database } from '@accepted/shared/database/connect';
import { listUnclaimed, takeBack } from '@accepted/shared/database/unclaimed-jobs';
import { type Engine, missingFromEngine } from '@accepted/shared/queue/engine';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';
import type { WorkerCounters } from '../metrics/worker-counters.ts';

const INTERVAL_MS = 1_000;
/** A dispatch is committed before it is added to the engine; a younger one may simply be on its way. */
const UNCLAIMED_AFTER_MS = 3_000;
const UNCLAIMED_AFTER_WIPE_MS = 250;

/**
 * Starts the reconciler: it looks up in the engine what the ledger believes to be there, and takes back only what
 * is missing. Re-dispatching everything that is merely old would flood the engine just when it is slow.
 */
export function startReconciler(options: {
  db: Database;
  engine: Engine;
  queues: string[];
  onTakenBack: (queue: string) => void;
  counters: WorkerCounters;
  logger: Logger;
}): Loop {
  const { db, engine, queues, onTakenBack, counters, logger } = options;

  async function reconcile(queue: string, olderThanMs: number): Promise<void> {
    const unclaimed = await listUnclaimed(db, queue, olderThanMs);
    if (unclaimed.length === 0) return;
    const takenBack = await takeBack(db, await missingFromEngine(engine.queue(queue), unclaimed));
    if (takenBack === 0) return;
    counters.add('redispatched', queue, takenBack);
    logger.warn({ queue, takenBack }, 'the engine had lost dispatched jobs; they are dispatched again');
    onTakenBack(queue);
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return INTERVAL_MS;
    const wiped = await engine.wasWiped('jobs');
    if (wiped) logger.warn('the engine is empty: it was wiped, or is new');
    const olderThanMs = wiped ? UNCLAIMED_AFTER_WIPE_MS : UNCLAIMED_AFTER_MS;
    for (const queue of queues) await reconcile(queue, olderThanMs);
    return INTERVAL_MS;
  }

  return startLoop({
    runOnce,
    retryAfterMs: INTERVAL_MS,
    onError: (error) => logger.warn({ err: error }, 'reconciling failed; it is tried again'),
  });
}
