import {
  decideOutcome,
  type JobError,
  type Outcome,
  UNCOUNTED,
} from '@accepted/shared/core/job/decide-outcome';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listOwnJobs, type OwnJob } from '@accepted/shared/ledger/jobs/rescue-jobs';
import type { Logger } from 'pino';
import type { Claimer } from '../../path/claimer.ts';
import type { Recorder } from '../../path/recorder.ts';
import type { RunningAttempts } from '../../path/running-attempts.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { Lease } from './lease.ts';

export interface OwnJobsCheck extends Loop {
  /** Has this attempt counted: its handler ran, but the ledger refused every outcome of it. */
  mustCount(job: Pick<OwnJob, 'id' | 'attempt'>): void;
}

const NOT_RECORDED: JobError = {
  code: 'outcome_not_recorded',
  message: 'The attempt ended, but its outcome could not be recorded; the log of its worker says why.',
  retryable: true,
};

/**
 * Starts the check that compares what the ledger says runs here with what does. It runs beside the heartbeats, which
 * must not wait for it: they touch no job, and the lease of all jobs hangs on them.
 *
 * A cancel whose notification was missed is found. So is a job whose claim was committed while the answer got lost,
 * as when Postgres dies at that moment: nobody would ever run it, for its worker is alive. Such a job is released once
 * nobody here waits for the answer any more, and two checks in a row find it, as it may be just on its way between two
 * steps.
 */
export function startOwnJobsCheck(options: {
  db: Database;
  lease: Pick<Lease, 'workerId'>;
  running: Pick<RunningAttempts, 'has' | 'stop'>;
  claimer: Pick<Claimer, 'claims' | 'isClaiming'>;
  recorder: Pick<Recorder, 'record'>;
  heartbeatMs: number;
  logger: Logger;
}): OwnJobsCheck {
  const { db, lease, running, claimer, logger } = options;
  let idleBefore = new Set<string>();
  /** So many claims had been asked for, and were answered, when the ledger had none of them any more. */
  let goneClaims = 0;
  const counted = new Set<string>();

  async function runOnce(): Promise<number> {
    const workerId = lease.workerId();
    const { asked, areAnswered } = claimer.claims();
    if (workerId === undefined || asked === goneClaims) return options.heartbeatMs;
    const own = await listOwnJobs(db, workerId);
    if (own.length === 0 && areAnswered) goneClaims = asked;
    for (const job of own) if (job.cancelRequestedAt) running.stop(job.id, 'canceled');
    const idle = own.filter((job) => !running.has(job.id) && !claimer.isClaiming(job.id));
    const abandoned = idle.filter((job) => idleBefore.has(identity(job)));
    idleBefore = new Set(idle.map(identity));
    for (const known of counted) if (!own.some((job) => identity(job) === known)) counted.delete(known);
    if (abandoned.length > 0) await giveUp(abandoned);
    return options.heartbeatMs;
  }

  async function giveUp(jobs: OwnJob[]): Promise<void> {
    logger.warn(
      { jobIds: jobs.map((job) => job.id) },
      'giving up jobs that are claimed, but do not run here',
    );
    await Promise.all(jobs.map((job) => giveUpOne(job)));
  }

  async function giveUpOne(job: OwnJob): Promise<void> {
    await options.recorder.record({ job, outcome: outcomeOf(job) }).catch((error: unknown) => {
      logger.error({ err: error, jobId: job.id }, 'the ledger refuses to let a job go; it is tried again');
    });
  }

  function outcomeOf(job: OwnJob): Outcome {
    if (!counted.has(identity(job))) return { kind: 'release' };
    return decideOutcome(
      job,
      { kind: 'threw', error: NOT_RECORDED },
      { ...UNCOUNTED, random: Math.random() },
    );
  }

  const loop = startLoop({
    runOnce,
    retryAfterMs: options.heartbeatMs,
    onError: (error) =>
      logger.warn({ err: error }, 'comparing the ledger with what runs here failed; it is tried again'),
  });
  return { ...loop, mustCount: (job) => void counted.add(identity(job)) };
}

function identity(job: Pick<OwnJob, 'id' | 'attempt'>): string {
  return `${job.id} ${job.attempt}`;
}
