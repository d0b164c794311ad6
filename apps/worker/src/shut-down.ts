import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Claimer } from './attempt/claimer.ts';
import type { RunningAttempts } from './attempt/running-attempts.ts';
import type { Loop } from './loop.ts';
import type { Lease } from './rescue/lease.ts';
import type { EngineConsumers } from './worker.ts';

export interface ShutdownOptions {
  lease: Lease;
  services: Loop[];
  consumers: EngineConsumers;
  claimer: Pick<Claimer, 'drain'>;
  running: RunningAttempts;
  notifications: { close(): Promise<void> };
  timeoutMs: number;
  logger: Logger;
}

/** Which part of the time running jobs get to end by themselves; the rest is for giving them back. */
const SHARE_FOR_FINISHING = 0.5;

/**
 * Ends a worker in order: takes nothing new, lets running jobs end, releases those that do not (which burns no
 * attempt), then lets go of the lease. Resolves within `timeoutMs` whatever hangs; what is left then is rescued
 * once the lease ends.
 */
export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { running, logger } = options;
  logger.info({ runningJobs: running.count() }, 'stopping: no new jobs are taken');
  const inOrder = endInOrder(options).catch((error: unknown) => {
    logger.warn({ err: error }, 'the worker could not be ended in order');
  });
  await Promise.race([inOrder, delay(options.timeoutMs, undefined, { ref: false })]);
  if (running.count() > 0) logger.warn({ runningJobs: running.count() }, 'left running jobs to the rescuer');
}

/** Services may be in the middle of long work, for which running jobs must not wait. */
async function endInOrder(options: ShutdownOptions): Promise<void> {
  const { lease, services, consumers, claimer, running, notifications, timeoutMs } = options;
  const servicesEnded = Promise.allSettled(services.map((service) => service.stop()));
  const finished = Promise.allSettled([lease.drain(), consumers.pause(), claimer.drain()]).then(running.idle);
  await Promise.race([finished, delay(timeoutMs * SHARE_FOR_FINISHING)]);
  running.stopAll('shutdown');
  await claimer.drain();
  await running.idle();
  await Promise.allSettled([lease.release(), notifications.close(), consumers.close(), servicesEnded]);
}
