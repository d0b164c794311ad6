import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/database/connect';
import {
  forgetMirror,
  listResolvedMirrored,
  listUnmirrored,
  setMirrored,
} from '@accepted/shared/database/mirrored-dead-letters';
import { publicId } from '@accepted/shared/job/id';
import { deadLetterQueueName, type Engine } from '@accepted/shared/queue/engine';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';
import { entryOf, MAX_SHOWN_PAYLOAD_BYTES } from './entry.ts';
import { createMirrorCheck } from './mirror-check.ts';
import { consumeRetries } from './retries.ts';

const INTERVAL_MS = 1_000;
const BATCH = 100;
/** While there is more to do than one batch the next run follows soon. */
const BUSY_INTERVAL_MS = 50;
const CHECK_INTERVAL_MS = 5_000;
/** The engine's memory must not grow with the dead letters; the newest are shown, and others as these leave. */
const MAX_SHOWN = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface DeadLetterMirrorOptions {
  db: Database;
  engine: Engine;
  /** The queues whose dead letters are shown: those that this process works on. */
  queues: string[];
  /** Told when *Retry* in Bull Board put a job of this queue back to `queued`. */
  onReplayed: (queue: string) => void;
  logger: Logger;
}

/**
 * Starts showing open dead letters in Bull Board: each queue has a BullMQ queue of its own for them, in whose failed
 * set a dead letter stands with the error that its job died of. Retrying it there replays the job. The ledger is the
 * authority: what the engine lost is made again, what is resolved elsewhere goes. Any number of mirrors may run.
 */
export function startDeadLetterMirror(options: DeadLetterMirrorOptions): Pick<Loop, 'wake' | 'stop'> {
  const { db, engine, queues, logger } = options;
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'mirroring dead letters failed; it is tried again');
  const retries = consumeRetries(options);
  const checkSome = createMirrorCheck(db, engine);
  let mustForget = false;
  let nextCheckAt = performance.now() + CHECK_INTERVAL_MS;

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return INTERVAL_MS;
    // Only one asker hears of a wipe, so it must not be forgotten when the ledger cannot be written just then.
    mustForget ||= await engine.wasWiped('dead-letters');
    if (mustForget) await forgetMirror(db);
    mustForget = false;
    let handled = 0;
    for (const queue of queues) handled += (await showOpen(queue)) + (await removeResolved(queue));
    if (performance.now() >= nextCheckAt) {
      nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
      for (const queue of queues) await checkSome(queue);
    }
    return handled > 0 ? BUSY_INTERVAL_MS : INTERVAL_MS;
  }

  /** Adds entries first and marks them then: an entry added twice is one, one marked but not added is not seen. */
  async function showOpen(queue: string): Promise<number> {
    const entries = engine.queue(deadLetterQueueName(queue));
    const room = MAX_SHOWN - (await entries.getJobCountByTypes('failed', 'waiting', 'active'));
    if (room <= 0) return 0;
    const letters = await listUnmirrored(db, queue, Math.min(room, BATCH), MAX_SHOWN_PAYLOAD_BYTES);
    const added = await Promise.allSettled(
      letters.map(async (letter) => {
        const { name, data, opts } = entryOf(letter);
        await entries.add(name, data, opts);
        return letter.id;
      }),
    );
    const shown = added.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    await setMirrored(db, shown, true);
    const refused = added.find((result) => result.status === 'rejected');
    if (refused) throw refused.reason;
    return shown.length;
  }

  async function removeResolved(queue: string): Promise<number> {
    const entries = engine.queue(deadLetterQueueName(queue));
    const ids = await listResolvedMirrored(db, queue, BATCH);
    const isGone = await Promise.all(
      ids.map(async (id) => {
        const entryId = publicId('deadLetter', id);
        // An entry in the middle of its replay is locked: it goes by itself.
        await entries.remove(entryId);
        return (await entries.getJobState(entryId)) === 'unknown';
      }),
    );
    const gone = ids.filter((_, index) => isGone[index]);
    await setMirrored(db, gone, false);
    return gone.length;
  }

  const loop = startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError });
  return {
    wake: loop.wake,
    async stop() {
      // Closing hangs while Redis is down, and nothing is lost by leaving: an entry under way is redelivered.
      const closed = Promise.allSettled([loop.stop(), retries.close()]);
      await Promise.race([closed, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
