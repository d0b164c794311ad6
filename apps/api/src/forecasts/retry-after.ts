import { isTerminal, type JobStatus } from '@accepted/shared/core/job/status';

const MIN_SECONDS = 1;
const MAX_SECONDS = 300;

const STEPS_SECONDS = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300];

/** A deploy or a restart takes about this long; of a pause nobody knows. */
const UNKNOWN_SECONDS = 30;

/** Of a job that runs for longer than others did it is not known for how much longer: it is looked at again after so much more. */
const OVERTIME_PART = 0.1;

/** What is foreseen of a job. */
export interface Foreseen {
  /** In how many milliseconds it starts, once it may; `undefined`: that depends on somebody. */
  startsInMs: number | undefined;
  /** How long it runs then. */
  runsForMs: number;
}

/**
 * Estimates, in whole seconds from 1 to 300, when it pays to ask for a job again: when it is likely to have ended; `undefined` when it
 * has. A job that must not run yet counts from its `run_at`, whatever then waits before it.
 */
export function retryAfterSeconds(
  job: { status: JobStatus; run_at: Date; started_at: Date | null },
  { startsInMs, runsForMs }: Foreseen,
  now: Date,
): number | undefined {
  if (isTerminal(job.status)) return undefined;
  if (job.status === 'running')
    return secondsToEnd(now.getTime() - (job.started_at ?? now).getTime(), runsForMs);
  const untilDue = Math.max(0, (job.run_at.getTime() - now.getTime()) / 1_000);
  const seconds = startsInMs === undefined ? UNKNOWN_SECONDS : inSteps((startsInMs + runsForMs) / 1_000);
  return within(untilDue + seconds);
}

function secondsToEnd(ranMs: number, runsForMs: number): number {
  return within((ranMs < runsForMs ? runsForMs - ranMs : ranMs * OVERTIME_PART) / 1_000);
}

/** Told in steps, or a tenant could work out how many jobs of others wait. */
function inSteps(seconds: number): number {
  return STEPS_SECONDS.find((step) => step >= seconds) ?? MAX_SECONDS;
}

/** Estimates, in whole seconds from 1 to 300, how long it takes until so many jobs of a queue are done. */
export function secondsToFinish(jobs: number, perSecond: number | undefined): number {
  return perSecond ? within(jobs / perSecond) : UNKNOWN_SECONDS;
}

function within(seconds: number): number {
  return Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, Math.ceil(seconds)));
}
