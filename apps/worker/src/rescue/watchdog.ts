import type { Database } from '@accepted/shared/database/connect';
import { listUnclaimed } from '@accepted/shared/database/unclaimed-jobs';
import { type Engine, waitingInEngine } from '@accepted/shared/queue/engine';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';
import type { EngineConsumers } from '../worker.ts';

export interface WatchdogOptions {
  db: Database;
  engine: Engine;
  queues: string[];
  concurrency: number;
  consumers: Pick<EngineConsumers, 'underWay' | 'silentForMs'>;
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
  const { db, engine, consumers, deafAfterMs, logger } = options;

  async function isDeaf(queue: string): Promise<boolean> {
    if (consumers.underWay(queue) >= options.concurrency || consumers.silentForMs(queue) < deafAfterMs) {
      return false;
    }
    const unclaimed = await listUnclaimed(db, queue, deafAfterMs);
    return await waitingInEngine(engine.queue(queue), unclaimed.slice(0, SAMPLE));
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return deafAfterMs / 4;
    for (const queue of options.queues) {
      if (!(await isDeaf(queue))) continue;
      logger.fatal(
        { queue },
        'jobs wait in the engine and this worker hears of none: it ends to be started anew',
      );
      options.onDeaf(queue);
    }
    return deafAfterMs / 4;
  }

  return startLoop({
    runOnce,
    retryAfterMs: deafAfterMs / 4,
    onError: (error) => logger.warn({ err: error }, 'the watchdog could not look; it is tried again'),
  });
}
