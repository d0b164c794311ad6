import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listUnclaimed } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import type { Logger } from 'pino';
import type { QueueConsumers } from '../../path/consume-queues.ts';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';

export interface WatchdogOptions {
  db: Database;
  engine: Engine;
  queues: string[];
  /** Its lanes are those that this worker must hear from. */
  buildId: string;
  concurrency: number;
  consumers: Pick<QueueConsumers, 'underWay' | 'silentForMs'>;
  deafAfterMs: number;
  /** Ends the process in order; a supervisor starts it again with fresh connections. */
  onDeaf: (queue: string) => void;
  logger: Logger;
}

/** How many of the oldest unclaimed jobs are looked up in the engine. */
const SAMPLE = 5;

/**
 * Starts the watchdog: jobs wait in the engine, this worker has hands free, and yet it was given nothing for too long,
 * so it must have gone deaf. Workers that no longer hear after a reconnect are a kind of fault that comes back in
 * queue libraries again and again; a fresh process is the one cure that works for all of them.
 */
export function startWatchdog(options: WatchdogOptions): Loop {
  const { db, engine, buildId, consumers, deafAfterMs, logger } = options;

  async function isDeaf(queue: string): Promise<boolean> {
    if (consumers.underWay(queue) >= options.concurrency || consumers.silentForMs(queue) < deafAfterMs) {
      return false;
    }
    const unclaimed = await listUnclaimed(db, deafAfterMs, queue);
    const ours = unclaimed.filter((job) => job.buildId === buildId);
    return await engine.isWaiting({ queue, buildId }, ours.slice(0, SAMPLE));
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return deafAfterMs / 4;
    await eachAlone(options.queues, watch, onError);
    return deafAfterMs / 4;
  }

  async function watch(queue: string): Promise<void> {
    if (!(await isDeaf(queue))) return;
    logger.fatal(
      { queue },
      'jobs wait in the engine and this worker hears of none: it ends to be started anew',
    );
    options.onDeaf(queue);
  }

  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'the watchdog could not look; it is tried again');
  return startLoop({ runOnce, retryAfterMs: deafAfterMs / 4, onError });
}
