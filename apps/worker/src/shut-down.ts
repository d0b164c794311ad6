import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Claimer } from './path/claimer.ts';
import type { QueueConsumers } from './path/consume-queues.ts';
import type { RunningAttempts } from './path/running-attempts.ts';
import type { Loop } from './services/loop.ts';
import type { Lease } from './services/rescue/lease.ts';

export interface ShutdownOptions {
  lease: Lease;
  /** Takes back what waits for this worker alone, once it is known to be draining. */
  leaveLanes: () => Promise<void>;
  services: Pick<Loop, 'stop'>[];
  consumers: QueueConsumers;
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

/** Services may be in the middle of long work, and the ledger slow: running jobs must wait for neither. */
async function endInOrder(options: ShutdownOptions): Promise<void> {
  const { lease, leaveLanes, services, consumers, claimer, running, notifications, timeoutMs } = options;
  const servicesEnded = Promise.allSettled(services.map((service) => service.stop()));
  // They may overlap, and one that takes long must not keep the others from another worker.
  const servicesLeft = Promise.allSettled([lease.leaveServices()]);
  const drained = lease.drain();
  const lanesLeft = drained.then(leaveLanes);
  const finished = Promise.allSettled([drained, consumers.pause(), claimer.drain()]).then(running.idle);
  await Promise.race([finished, delay(timeoutMs * SHARE_FOR_FINISHING)]);
  running.stopAll('shutdown');
  await claimer.drain();
  await running.idle();
  const released = [lease.release(), notifications.close(), consumers.close()];
  await Promise.allSettled([...released, servicesEnded, servicesLeft, lanesLeft]);
}
