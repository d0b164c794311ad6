import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';
import type { Engine } from './engine.ts';

/** BullMQ on one of its stores. What an `Engine` is made of: its queues and workers leave this room in Bull Board only. */
export interface BullmqStore extends Pick<Engine, 'kind' | 'isReady' | 'wasWiped' | 'fullness' | 'close'> {
  /** From how many jobs on it costs less to add them in bulk than one by one. */
  readonly bulkFrom: number;
  /** Opens the BullMQ queue of this name, the same one each time. */
  queue(name: string): Queue;
  /** Starts a BullMQ worker; the caller closes it. */
  openWorker(
    name: string,
    processor: Processor<unknown, void>,
    options: Pick<WorkerOptions, 'concurrency' | 'skipStalledCheck'>,
  ): Worker;
}

/**
 * Hands over delivery only: attempts, delays and outcomes are the ledger's. A redelivery after a stall is always
 * allowed, as the claim decides whether it may run; locks are short so that a hint lost with its worker comes
 * back within seconds.
 */
export const WORKER_SETTINGS = {
  maxStalledCount: 1_000_000,
  stalledInterval: 1_500,
  lockDuration: 3_000,
  drainDelay: 5,
  runRetryDelay: 1_000,
} as const satisfies Partial<WorkerOptions>;
