import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listUnclaimed, type UnclaimedJob } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
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
  slotsIn: (queue: string) => number;
  consumers: Pick<QueueConsumers, 'underWay' | 'silentForMs'>;
  deafAfterMs: number;
  /** Ends the process in order; a supervisor starts it again with fresh connections. */
  onDeaf: (queue: string) => void;
  logger: Logger;
}

/** How many of the oldest unclaimed jobs are looked up in the engine. */
const SAMPLE = 5;
/** So often it looks in the time after which a worker is deaf. */
const LOOKS = 3;

/**
 * Starts the watchdog: jobs wait in the engine, this worker has hands free, and yet it was given nothing for too long,
 * so it must have gone deaf. Workers that no longer hear after a reconnect are a kind of fault that comes back in
 * queue libraries again and again; a fresh process is the one cure that works for all of them.
 */
export function startWatchdog(options: WatchdogOptions): Loop {
  const { db, engine, buildId, consumers, deafAfterMs, logger } = options;

  const isSilent = (queue: string) =>
    consumers.underWay(queue) < options.slotsIn(queue) && consumers.silentForMs(queue) >= deafAfterMs;

  async function runOnce(): Promise<number> {
    const silent = engine.isReady() ? options.queues.filter(isSilent) : [];
    if (silent.length === 0) return deafAfterMs / LOOKS;
    const unclaimed = await listUnclaimed(db, deafAfterMs);
    const ours = unclaimed.filter((job) => job.buildId === buildId && silent.includes(job.queue));
    await eachAlone([...Map.groupBy(ours, ({ queue }) => queue)], watch, onError);
    return deafAfterMs / LOOKS;
  }

  async function watch([queue, jobs]: [string, UnclaimedJob[]]): Promise<void> {
    if (!(await engine.isWaiting({ queue, buildId }, jobs.slice(0, SAMPLE)))) return;
    logger.fatal(
      { queue },
      'jobs wait in the engine and this worker hears of none: it ends to be started anew',
    );
    options.onDeaf(queue);
  }

  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'the watchdog could not look; it is tried again');
  return startLoop({ runOnce, retryAfterMs: deafAfterMs / LOOKS, onError });
}
