import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  listUnclaimed,
  takeBack,
  takeBackFromGoneBuilds,
  type UnclaimedJob,
} from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import type { Logger } from 'pino';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

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
  service?: OneService | undefined;
  engine: Engine;
  queueHasWork: (queue: string) => void;
  counters: WorkerCounters;
  logger: Logger;
}): Loop {
  const { db, service, engine, queueHasWork, counters, logger } = options;
  const onError = (error: unknown) => logger.warn({ err: error }, 'reconciling failed; it is tried again');
  let wipedAt = Number.NEGATIVE_INFINITY;

  /** Jobs wait in lanes that nobody takes from: for workers of another build, or for the next of that build. */
  async function leaveGoneBuilds(): Promise<void> {
    for (const [queue, takenBack] of await takeBackFromGoneBuilds(db)) {
      logger.info({ queue, takenBack }, 'jobs were dispatched to a build that no worker has any more');
      queueHasWork(queue);
    }
  }

  async function reconcile(olderThanMs: number): Promise<void> {
    const lanes = Map.groupBy(
      await listUnclaimed(db, olderThanMs),
      ({ queue, buildId }) => `${queue} ${buildId}`,
    );
    await eachAlone([...lanes.values()], takeBackMissing, onError);
  }

  /** Takes jobs of one lane back that are not in the engine. */
  async function takeBackMissing(unclaimed: UnclaimedJob[]): Promise<void> {
    const [{ queue, buildId } = { queue: '', buildId: null }] = unclaimed;
    const takenBack = await takeBack(db, await engine.missing({ queue, buildId }, unclaimed));
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
    await leaveGoneBuilds().catch(onError);
    await reconcile(olderThanMs);
    return INTERVAL_MS;
  }

  service?.onlyWhile(engine.isReady);
  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service });
}
