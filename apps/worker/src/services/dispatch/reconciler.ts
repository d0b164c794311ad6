import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listUnclaimed, takeBack, takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import type { Logger } from 'pino';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';

const INTERVAL_MS = 1_000;
/** A dispatch is committed before it is added to the engine; a younger one may simply be on its way. */
const UNCLAIMED_AFTER_MS = 3_000;
const UNCLAIMED_AFTER_WIPE_MS = 250;
/** What was just being added when the engine was wiped is too young at the first look. */
const LOOKS_CLOSELY_MS = 2_000;

/**
 * Starts the reconciler: it looks up in the engine what the ledger believes to be there, and takes back only what
 * is missing. Re-dispatching everything that is merely old would flood the engine just when it is slow.
 */
export function startReconciler(options: {
  db: Database;
  engine: Engine;
  queues: string[];
  queueHasWork: (queue: string) => void;
  counters: WorkerCounters;
  logger: Logger;
}): Loop {
  const { db, engine, queues, queueHasWork, counters, logger } = options;
  const onError = (error: unknown) => logger.warn({ err: error }, 'reconciling failed; it is tried again');
  let wipedAt = Number.NEGATIVE_INFINITY;

  /** Jobs wait in lanes that nobody takes from: for workers of another build, or for the next of that build. */
  async function leaveGoneBuilds(queue: string): Promise<void> {
    const takenBack = await takeBackFromGoneBuilds(db, queue);
    if (takenBack === 0) return;
    logger.info({ queue, takenBack }, 'jobs were dispatched to a build that no worker has any more');
    queueHasWork(queue);
  }

  async function reconcile(queue: string, olderThanMs: number): Promise<void> {
    const unclaimed = await listUnclaimed(db, queue, olderThanMs);
    let takenBack = 0;
    for (const [buildId, jobs] of Map.groupBy(unclaimed, (job) => job.buildId)) {
      takenBack += await takeBack(db, await engine.missing({ queue, buildId }, jobs));
    }
    if (takenBack === 0) return;
    counters.add('redispatched', queue, takenBack);
    logger.warn({ queue, takenBack }, 'the engine had lost dispatched jobs; they are dispatched again');
    queueHasWork(queue);
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return INTERVAL_MS;
    if (await engine.wasWiped('jobs')) {
      wipedAt = performance.now();
      logger.warn('the engine is empty: it was wiped, or is new');
    }
    const looksClosely = performance.now() - wipedAt < LOOKS_CLOSELY_MS;
    const olderThanMs = looksClosely ? UNCLAIMED_AFTER_WIPE_MS : UNCLAIMED_AFTER_MS;
    await eachAlone(queues, leaveGoneBuilds, onError);
    await eachAlone(queues, (queue) => reconcile(queue, olderThanMs), onError);
    return INTERVAL_MS;
  }

  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError });
}
