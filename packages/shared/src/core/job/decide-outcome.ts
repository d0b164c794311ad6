import { type Backoff, backoffDelayMs } from './backoff.ts';

/** Tells what went wrong in an attempt. `code` is stable and for machines, `message` for people. */
export interface JobError {
  code: string;
  message: string;
  /** Whether trying again could help; `false` sends the job to the dead letters at once. */
  retryable: boolean;
  stack?: string;
}

/** The code of an attempt whose process ended before its result. */
export const HANDLER_EXITED = 'handler_exited';

/** Tells how an attempt ended, before anyone has decided what that means for the job. */
export type AttemptResult =
  | { kind: 'returned'; resultJson: string }
  | ThrewResult
  | { kind: 'timedOut'; timeoutMs: number }
  /** `suspected`: given back because of something that ran in the same process, and it may have been this attempt. */
  | { kind: 'aborted'; reason: 'canceled' | 'shutdown' | 'suspected' }
  /** The job is for workers of another build: `refusedBy` is the payload schema that refuses it, if it has the type. */
  | { kind: 'misdirected'; refusedBy?: string }
  /** Nothing ran: what it would call does not answer just now. `breakerId` says by what it is known that it does again. */
  | { kind: 'held'; breakerId: string; forMs: number }
  /** The worker was lost and ran nothing else. */
  | { kind: 'workerLost' }
  /** The worker was lost, and this attempt may have had nothing to do with it. `losses` counts this one. */
  | { kind: 'lostWithWorker'; losses: number; maxLosses: number };

interface ThrewResult {
  kind: 'threw';
  error: JobError;
  retryAfterMs?: number;
  /** The process that ended: that of the handler, one in which others had run before, or the worker with all that ran there. */
  died?: 'handlerProcess' | 'usedProcess' | 'worker';
  /** The handler did not run, because its schema refused the payload. */
  payloadRefused?: true;
}

/** The facts about a job that an outcome depends on. `attemptsMade` counts the attempt that just ended. */
export interface AttemptedJob {
  attemptsMade: number;
  maxAttempts: number;
  backoff: Backoff;
  /** Whether the attempt had a process of its own because an earlier one may have killed its worker. */
  suspect: boolean;
}

export type DeadLetterReason = 'attempts_exhausted' | 'permanent_error' | 'poison';

/**
 * Tells what becomes of the job; `ledger/jobs/record-outcomes.ts` writes it down. With `suspect` the job has a process of
 * its own in the next attempt; without it an end clears the job of suspicion, and whoever gives an attempt back leaves it as it was.
 */
export type Outcome =
  | { kind: 'succeed'; resultJson: string }
  | { kind: 'retry'; delayMs: number; error: JobError; suspect?: true }
  | { kind: 'deadLetter'; reason: DeadLetterReason; error: JobError; suspect?: true }
  | { kind: 'cancel' }
  | { kind: 'hold'; delayMs: number; breakerId: string }
  /** `loss` says that the worker was lost meanwhile, `refusedBy` which payload schema wants it elsewhere. */
  | { kind: 'release'; suspect?: true; loss?: JobError; refusedBy?: string };

/** How retries are spread over time: by chance, `random` from 0 up to, not including, 1, and by how many there may be (`retry-budget.ts`). */
export interface RetrySpread {
  random: number;
  /** Takes the next place among them; answers in how many milliseconds it comes. */
  nextRetryInMs: () => number;
}

/** Of what nobody counts. */
export const UNCOUNTED = { nextRetryInMs: () => 0 };

/**
 * Decides what becomes of a job after an attempt. Pure. To release or hold a job gives the attempt back; every other end counts it.
 */
export function decideOutcome(job: AttemptedJob, result: AttemptResult, spread: RetrySpread): Outcome {
  switch (result.kind) {
    case 'returned':
      return { kind: 'succeed', resultJson: result.resultJson };
    case 'aborted':
      if (result.reason === 'canceled') return { kind: 'cancel' };
      return result.reason === 'suspected' ? { kind: 'release', suspect: true } : { kind: 'release' };
    case 'misdirected':
      return { kind: 'release', ...(result.refusedBy !== undefined && { refusedBy: result.refusedBy }) };
    case 'held':
      return { kind: 'hold', delayMs: result.forMs, breakerId: result.breakerId };
    case 'threw':
      // What an earlier one left may have ended it, so nothing is proved and the attempt does not count.
      if (result.died === 'usedProcess') return { kind: 'release', suspect: true, loss: result.error };
      if (isPoisonous(job, result)) return suspected(retryOrDeadLetter(job, result.error, spread, 'poison'));
      return retryOrDeadLetter(job, result.error, spread, 'attempts_exhausted', result.retryAfterMs);
    case 'timedOut':
      return retryOrDeadLetter(job, timeoutError(result.timeoutMs), spread, 'attempts_exhausted');
    case 'workerLost':
      return suspected(retryOrDeadLetter(job, WORKER_LOST, spread, 'poison'));
    case 'lostWithWorker':
      if (result.losses < result.maxLosses) return { kind: 'release', suspect: true, loss: WORKER_LOST };
      return { kind: 'deadLetter', reason: 'poison', error: lostTooOften(result.losses), suspect: true };
  }
}

/** The process of a suspect has run nothing else, so its death tells; whoever takes the worker along needs no more proof. */
function isPoisonous(job: AttemptedJob, { died }: Extract<AttemptResult, { kind: 'threw' }>): boolean {
  return died === 'worker' || (died === 'handlerProcess' && job.suspect);
}

/** What killed a process once must not do so beside others. */
function suspected<T extends Outcome>(outcome: T): T & { suspect: true } {
  return { ...outcome, suspect: true };
}

const WORKER_LOST: JobError = {
  code: 'worker_lost',
  message: 'The worker that ran this attempt stopped sending heartbeats.',
  retryable: true,
};

function lostTooOften(losses: number): JobError {
  const message = `Its worker was lost ${losses} times while it ran, so it is not tried again.`;
  return { code: 'worker_lost', message, retryable: true };
}

function timeoutError(timeoutMs: number): JobError {
  return { code: 'timeout', message: `The attempt took longer than ${timeoutMs} ms.`, retryable: true };
}

function retryOrDeadLetter(
  job: AttemptedJob,
  error: JobError,
  spread: RetrySpread,
  reasonWhenExhausted: DeadLetterReason,
  retryAfterMs = 0,
): Extract<Outcome, { kind: 'retry' | 'deadLetter' }> {
  if (!error.retryable) return { kind: 'deadLetter', reason: 'permanent_error', error };
  if (job.attemptsMade >= job.maxAttempts) return { kind: 'deadLetter', reason: reasonWhenExhausted, error };
  const backoffMs = backoffDelayMs(job.backoff, job.attemptsMade, spread.random);
  const delayMs = Math.round(Math.max(retryAfterMs, backoffMs, spread.nextRetryInMs()));
  return { kind: 'retry', delayMs, error };
}
