import { type Backoff, backoffDelayMs } from './backoff.ts';

/** Tells what went wrong in an attempt. `code` is stable and for machines, `message` for people. */
export interface JobError {
  code: string;
  message: string;
  /** Whether trying again could help; `false` sends the job to the dead letters at once. */
  retryable: boolean;
  stack?: string;
}

/** Tells how an attempt ended, before anyone has decided what that means for the job. */
export type AttemptResult =
  | { kind: 'returned'; resultJson: string }
  /** `payloadRefused`: the handler did not run, because its schema refused the payload. */
  | { kind: 'threw'; error: JobError; retryAfterMs?: number; payloadRefused?: true }
  | { kind: 'timedOut'; timeoutMs: number }
  | { kind: 'aborted'; reason: 'canceled' | 'shutdown' }
  /** The job is for workers of another build: `refusedBy` is the payload schema that refuses it, if it has the type. */
  | { kind: 'misdirected'; refusedBy?: string }
  | { kind: 'workerLost' };

/** The facts about a job that an outcome depends on. `attemptsMade` counts the attempt that just ended. */
export interface AttemptedJob {
  attemptsMade: number;
  maxAttempts: number;
  backoff: Backoff;
}

export type DeadLetterReason = 'attempts_exhausted' | 'permanent_error' | 'poison';

/** Tells what becomes of the job; `database/record-outcomes.ts` writes it down. */
export type Outcome =
  | { kind: 'succeed'; resultJson: string }
  | { kind: 'retry'; delayMs: number; error: JobError }
  | { kind: 'deadLetter'; reason: DeadLetterReason; error: JobError }
  | { kind: 'cancel' }
  | { kind: 'release'; refusedBy?: string };

/** How retries are spread over time: `random` from 0 up to, not including, 1; `stretch` as the retry budget says. */
export interface RetrySpread {
  random: number;
  stretch: number;
}

/**
 * Decides what becomes of a job after an attempt. Pure. A release gives the attempt back; every other end counts it.
 */
export function decideOutcome(job: AttemptedJob, result: AttemptResult, spread: RetrySpread): Outcome {
  switch (result.kind) {
    case 'returned':
      return { kind: 'succeed', resultJson: result.resultJson };
    case 'aborted':
      return result.reason === 'canceled' ? { kind: 'cancel' } : { kind: 'release' };
    case 'misdirected':
      return { kind: 'release', ...(result.refusedBy !== undefined && { refusedBy: result.refusedBy }) };
    case 'threw':
      return retryOrDeadLetter(job, result.error, spread, 'attempts_exhausted', result.retryAfterMs);
    case 'timedOut':
      return retryOrDeadLetter(job, timeoutError(result.timeoutMs), spread, 'attempts_exhausted');
    case 'workerLost':
      return retryOrDeadLetter(job, WORKER_LOST, spread, 'poison');
  }
}

const WORKER_LOST: JobError = {
  code: 'worker_lost',
  message: 'The worker that ran this attempt stopped sending heartbeats.',
  retryable: true,
};

function timeoutError(timeoutMs: number): JobError {
  return { code: 'timeout', message: `The attempt took longer than ${timeoutMs} ms.`, retryable: true };
}

function retryOrDeadLetter(
  job: AttemptedJob,
  error: JobError,
  spread: RetrySpread,
  reasonWhenExhausted: DeadLetterReason,
  retryAfterMs = 0,
): Outcome {
  if (!error.retryable) return { kind: 'deadLetter', reason: 'permanent_error', error };
  if (job.attemptsMade >= job.maxAttempts) return { kind: 'deadLetter', reason: reasonWhenExhausted, error };
  const delayMs = Math.max(retryAfterMs, backoffDelayMs(job.backoff, job.attemptsMade, spread));
  return { kind: 'retry', delayMs, error };
}
