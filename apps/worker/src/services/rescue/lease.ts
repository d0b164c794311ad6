import { hostname } from 'node:os';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  heartbeat,
  markDraining,
  registerWorker,
  removeWorker,
} from '@accepted/shared/ledger/workers/workers';
import type { Logger } from 'pino';
import { startLoop } from '../loop.ts';

/** The lease that this process holds on all the jobs it runs. */
export interface Lease {
  /** The worker id to claim under; none from the loss of a lease until the next one is held under a new id. */
  workerId(): string | undefined;
  /** Tells the dispatchers to count on this worker no more. */
  drain(): Promise<void>;
  /** Ends the lease; the caller has no running jobs any more. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  /** A connection that nothing else uses: work that fills the others must not cost the lease of all jobs. */
  db: Database;
  queues: string[];
  concurrency: number;
  buildId: string;
  heartbeatMs: number;
  finishedPerSecond: () => Record<string, number>;
  isEngineUp: () => boolean;
  engineFullness: () => number | undefined;
  /** The jobs that run under the old worker id belong to others now. */
  onLost: () => void;
  logger: Logger;
}

/** Registers this process as a worker and keeps its heartbeat going; resolves once the first lease is held. */
export async function holdLease(options: LeaseOptions): Promise<Lease> {
  const { db, logger } = options;
  let workerId: string | undefined = await register(options);

  async function beat(): Promise<number> {
    const { heartbeatMs } = options;
    if (workerId !== undefined && !(await prolong(workerId))) {
      logger.error({ workerId }, 'the lease was lost: running jobs are given up and this worker starts anew');
      workerId = undefined;
      options.onLost();
    }
    workerId ??= await register(options);
    return heartbeatMs;
  }

  const prolong = (id: string) =>
    heartbeat(db, id, {
      heartbeatMs: options.heartbeatMs,
      finishedPerSecond: options.finishedPerSecond(),
      engineUp: options.isEngineUp(),
      engineFullness: options.engineFullness(),
    });

  const loop = startLoop({
    runOnce: beat,
    retryAfterMs: Math.min(500, options.heartbeatMs),
    onError: (error) => logger.warn({ err: error }, 'the heartbeat did not go through; it is tried again'),
  });
  return {
    workerId: () => workerId,
    async drain() {
      if (workerId !== undefined) await markDraining(db, workerId);
    },
    async release() {
      await loop.stop();
      if (workerId !== undefined) await removeWorker(db, workerId);
    },
  };
}

async function register({ db, queues, concurrency, buildId }: LeaseOptions): Promise<string> {
  const id = newUuid();
  await registerWorker(db, { id, hostname: hostname(), pid: process.pid, queues, concurrency, buildId });
  return id;
}
