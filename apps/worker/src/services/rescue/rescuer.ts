import { type AttemptResult, decideOutcome, UNCOUNTED } from '@accepted/shared/core/job/decide-outcome';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listOrphanedJobs, type OrphanedJob } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { forgetLostWorkers, markLostWorkers } from '@accepted/shared/ledger/workers/workers';
import type { Logger } from 'pino';
import { countEnd } from '../../metrics/count-end.ts';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import { createRecorder } from '../../path/recorder.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';
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
  service?: OneService | undefined;
  leaseMs: number;
  heartbeatMs: number;
  maxLosses: number;
  versions: Record<string, string>;
  queueHasWork: (queue: string) => void;
  counters: WorkerCounters;
  logger: Logger;
}): Loop {
  const { db, lease, logger } = options;
  // Not the one of this worker's own attempts: a row of a dead worker that is still locked must not hold those up.
  const recorder = createRecorder(options);

  async function runOnce(): Promise<number> {
    const { leaseMs, heartbeatMs } = options;
    const rescuerId = lease.workerId();
    const lost = rescuerId ? await markLostWorkers(db, { rescuerId, leaseMs, heartbeatMs }) : [];
    if (lost.length > 0)
      logger.warn({ workerIds: lost }, 'workers stopped sending heartbeats; their leases end');
    const orphans = await listOrphanedJobs(db, BATCH);
    const ended = await Promise.all(orphans.map(rescue));
    const rescued = ended.filter((isRescued) => isRescued).length;
    if (rescued > 0) logger.warn({ rescued }, 'rescued jobs of lost workers');
    await forgetLostWorkers(db);
    return rescued === BATCH ? 0 : heartbeatMs;
  }

  /** Answers `false` when another rescuer was faster, which refuses nobody's result, or the ledger refuses every outcome. */
  async function rescue(job: OrphanedJob): Promise<boolean> {
    const outcome = decideOutcome(job, resultOf(job, options.maxLosses), {
      random: Math.random(),
      ...UNCOUNTED,
    });
    const status = await recorder.record({ job, outcome }).catch((error: unknown) => {
      logger.error({ err: error, jobId: job.id }, 'the job of a lost worker cannot be rescued');
      return 'fenced' as const;
    });
    if (status === 'fenced') return false;
    options.counters.add('rescued', job.queue);
    countEnd(options.counters, job.queue, outcome, status);
    options.queueHasWork(job.queue);
    return true;
  }

  return startLoop({
    runOnce,
    service: options.service,
    retryAfterMs: options.heartbeatMs,
    onError: (error) => logger.warn({ err: error }, 'rescuing failed; it is tried again'),
  });
}

/**
 * Only a job that ran alone in the worker itself can be held to have killed it. All others run again in processes of
 * their own, as that one has to when it is tried again.
 */
function resultOf(job: OrphanedJob, maxLosses: number): AttemptResult {
  if (job.runningWhenLost === 1 && !job.suspect) return { kind: 'workerLost' };
  return { kind: 'lostWithWorker', losses: job.losses + 1, maxLosses };
}
