import { isTerminal, type JobStatus } from '@accepted/shared/core/job/status';
import type { QueueLoad } from '@accepted/shared/ledger/queues/queue-estimates';

const MIN_SECONDS = 1;
const MAX_SECONDS = 300;

const STEPS_SECONDS = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300];

/** Nothing can be measured without a worker; a deploy or a restart takes about this long. */
const NO_WORKER_SECONDS = 30;

/**
 * Estimates, in whole seconds from 1 to 300, when it pays to ask for a job again; `undefined` when it is finished. A job
 * that must not run yet counts from its `run_at`, whatever then waits before it.
 */
export function retryAfterSeconds(
  job: { status: JobStatus; run_at: Date },
  load: QueueLoad | undefined,
  now: Date,
): number | undefined {
  if (isTerminal(job.status)) return undefined;
  if (job.status === 'running') return MIN_SECONDS;
  const untilDue = Math.max(0, (job.run_at.getTime() - now.getTime()) / 1_000);
  const seconds = Math.ceil(untilDue + (load ? secondsToDrain(load) : 0));
  return Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, seconds));
}

/**
 * An idle queue has no measured rate; then every slot of its workers is taken to finish a job a second. Told in steps, or
 * a tenant could work out how many jobs of others wait.
 */
function secondsToDrain({ waiting, finishedPerSecond, concurrency }: QueueLoad): number {
  if (concurrency === 0) return NO_WORKER_SECONDS;
  const seconds = waiting / (finishedPerSecond > 0 ? finishedPerSecond : concurrency);
  return STEPS_SECONDS.find((step) => step >= seconds) ?? MAX_SECONDS;
}

/** Estimates, in whole seconds from 1 to 300, how long it takes until so many jobs of a queue are done. */
export function secondsToFinish(jobs: number, load: QueueLoad | undefined): number {
  if (!load || load.concurrency === 0) return NO_WORKER_SECONDS;
  const seconds = jobs / (load.finishedPerSecond > 0 ? load.finishedPerSecond : load.concurrency);
  return Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, Math.ceil(seconds)));
}
