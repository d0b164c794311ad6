import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { forgetMirror } from '@accepted/shared/ledger/dead-letters/mirrored-dead-letters';
import { listServedQueues } from '@accepted/shared/ledger/workers/workers';
import type { Logger } from 'pino';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';
import { createMirrorCheck } from './mirror-check.ts';
import { createMirrorEntries } from './mirror-entries.ts';
import { createRetries } from './retries.ts';

const INTERVAL_MS = 1_000;
/** While there is more to do than one batch the next run follows soon. */
const BUSY_INTERVAL_MS = 50;
const CHECK_INTERVAL_MS = 5_000;
/** The engine's memory must not grow with the dead letters: the newest of a queue are shown. */
const MAX_SHOWN = 10_000;
/** Of the engine's memory: from there on no more is shown, and from there on what is shown is taken away, the oldest first. */
const SHOWS_UNTIL_FULLNESS = 0.5;
const GIVES_WAY_FROM_FULLNESS = 0.75;
const NEARLY_FULL =
  'the queue engine has little memory left: dead letters leave Bull Board, and stay in the ledger; give Redis more memory, or find what else fills it';
const CLOSE_TIMEOUT_MS = 1_000;

export interface DeadLetterMirrorOptions {
  db: Database;
  engine: Engine;
  service?: OneService | undefined;
  /** Told when *Retry* in Bull Board put a job of this queue back to `queued`. */
  queueHasWork: (queue: string) => void;
  /** How many dead letters of a queue are shown at most; 10,000 by default. */
  maxShown?: number;
  logger: Logger;
}

/**
 * Starts showing open dead letters in Bull Board: each queue has a BullMQ queue of its own for them, in whose failed
 * set a dead letter stands with the error that its job died of. Retrying it there replays the job. The ledger is the
 * authority: what the engine lost is made again, what is resolved elsewhere goes. Any number of mirrors may run.
 */
export function startDeadLetterMirror(options: DeadLetterMirrorOptions): Pick<Loop, 'stop'> {
  const { db, service, engine, maxShown = MAX_SHOWN, logger } = options;
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'mirroring dead letters failed; it is tried again');
  const retries = createRetries(options);
  const entries = createMirrorEntries(db, engine, maxShown);
  const checkSome = createMirrorCheck(db, engine);
  let mustForget = false;
  let isNearlyFull = false;
  let nextCheckAt = performance.now() + CHECK_INTERVAL_MS;

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return INTERVAL_MS;
    // Only one asker hears of a wipe, so it must not be forgotten when the ledger cannot be written just then.
    mustForget ||= await engine.wasWiped('dead-letters');
    if (mustForget) await forgetMirror(db);
    mustForget = false;
    const queues = await listServedQueues(db);
    retries.serve(queues);
    const shown = await eachAlone(queues, showOrGiveWay(await engine.fullness()), onError);
    const removed = await eachAlone(queues, entries.removeResolved, onError);
    if (performance.now() >= nextCheckAt) {
      nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
      await eachAlone(queues, checkSome, onError);
    }
    return [...shown, ...removed].some((handled) => handled > 0) ? BUSY_INTERVAL_MS : INTERVAL_MS;
  }

  /** The engine is there to deliver jobs: what is only shown must leave it the memory for that. */
  function showOrGiveWay(fullness: number): (queue: string) => Promise<number> {
    if (fullness <= SHOWS_UNTIL_FULLNESS) return entries.showOpen;
    const wasNearlyFull = isNearlyFull;
    isNearlyFull = fullness > GIVES_WAY_FROM_FULLNESS;
    if (!isNearlyFull) return () => Promise.resolve(0);
    if (!wasNearlyFull) logger.warn({ fullness: Number(fullness.toFixed(2)) }, NEARLY_FULL);
    return entries.giveWay;
  }

  service?.onlyWhile(engine.isReady);
  service?.onLost(() => retries.serve([]));
  const loop = startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service });
  return {
    async stop() {
      // Closing hangs while Redis is down, and nothing is lost by leaving: an entry under way is redelivered.
      const closed = Promise.allSettled([loop.stop().then(retries.close)]);
      await Promise.race([closed, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
