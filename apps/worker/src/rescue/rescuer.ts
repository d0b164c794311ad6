import type { Database } from '@accepted/shared/database/connect';
import { recordOutcomes } from '@accepted/shared/database/record-outcomes';
import { listOrphanedJobs, type OrphanedJob } from '@accepted/shared/database/rescue-jobs';
import { forgetLostWorkers, markLostWorkers } from '@accepted/shared/database/workers';
import { decideOutcome } from '@accepted/shared/job/decide-outcome';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';
import { countEnd } from '../metrics/count-end.ts';
import type { WorkerCounters } from '../metrics/worker-counters.ts';
import type { Lease } from './lease.ts';

const BATCH = 200;

/**
 * Starts the rescuer: it ends the lease of workers whose heartbeat is too old and decides about the jobs they ran.
 * After an outage of Postgres every heartbeat is old, though most of the workers are alive: the ledger lets nobody end
 * a lease whose own heartbeats have not gone through for as long.
 */
export function startRescuer(options: {
  db: Database;
  lease: Pick<Lease, 'workerId'>;
  leaseMs: number;
  heartbeatMs: number;
  versions: Record<string, string>;
  onRescued: (queue: string) => void;
  counters: WorkerCounters;
  logger: Logger;
}): Loop {
  const { db, lease, logger } = options;

  async function runOnce(): Promise<number> {
    const { leaseMs, heartbeatMs } = options;
    const lost = await markLostWorkers(db, { rescuerId: lease.workerId(), leaseMs, heartbeatMs });
    if (lost.length > 0)
      logger.warn({ workerIds: lost }, 'workers stopped sending heartbeats; their leases end');
    const orphans = await listOrphanedJobs(db, BATCH);
    if (orphans.length > 0) await rescue(orphans);
    await forgetLostWorkers(db);
    return orphans.length === BATCH ? 0 : heartbeatMs;
  }

  async function rescue(orphans: OrphanedJob[]): Promise<void> {
    const lost = { kind: 'workerLost' } as const;
    const ended = orphans.map((job) => ({
      job,
      outcome: decideOutcome(job, lost, { random: Math.random(), stretch: 1 }),
    }));
    const statuses = await recordOutcomes(db, ended, options.versions);
    const rescued = ended.flatMap(({ job, outcome }, index) => {
      const status = statuses[index] ?? 'fenced';
      // Another rescuer was faster: nobody's result was refused.
      return status === 'fenced' ? [] : [{ queue: job.queue, outcome, status }];
    });
    for (const { queue, outcome, status } of rescued) {
      options.counters.add('rescued', queue);
      countEnd(options.counters, queue, outcome, status);
    }
    logger.warn({ rescued: rescued.length }, 'rescued jobs of lost workers');
    for (const queue of new Set(orphans.map((job) => job.queue))) options.onRescued(queue);
  }

  return startLoop({
    runOnce,
    retryAfterMs: options.heartbeatMs,
    onError: (error) => logger.warn({ err: error }, 'rescuing failed; it is tried again'),
  });
}
