import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import {
  type AttemptResult,
  decideOutcome,
  type RetrySpread,
} from '@accepted/shared/core/job/decide-outcome';
import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { JobStatus } from '@accepted/shared/core/job/status';
import type { EndedAttempt } from '@accepted/shared/ledger/jobs/record-outcomes';
import { type LineLogger, lazyChild } from '@accepted/shared/runtime/logging/lazy-child';
import type { Logger } from 'pino';
import { countEnd } from '../metrics/count-end.ts';
import type { WorkerCounters } from '../metrics/worker-counters.ts';
import { attemptScope } from './attempt-scope.ts';
import type { RunningAttempt, RunningAttempts } from './running-attempts.ts';

/** What an attempt needs of the worker around it. */
export interface AttemptSteps {
  /** Takes the job's lease; `undefined` when there is nothing to run. */
  claim: (dispatch: DispatchKey) => Promise<ClaimedJob | undefined>;
  /** Runs the handler to its end, whatever it does: never rejects, never hangs. */
  execute: (job: ClaimedJob, signal: AbortSignal, logger: LineLogger) => Promise<AttemptResult>;
  /** Counts the attempt in its type's retry budget and says how to spread a retry. */
  spreadRetries: (job: ClaimedJob) => RetrySpread;
  /** Writes the outcome if this attempt still holds the job. */
  record: (ended: EndedAttempt) => Promise<JobStatus | 'fenced'>;
  /** Has the attempt counted later on, as no outcome of it could be recorded. */
  mustCount: (job: ClaimedJob) => void;
  /** Waits for the outcome only when so many others are on their way that the ledger must be falling behind. */
  unlessTooMany: (concluded: Promise<void>) => Promise<void>;
  /** Tells those who wait for the job that it is finished, or the dispatcher that it waits again. */
  announce: (job: ClaimedJob, status: JobStatus) => void;
  running: RunningAttempts;
  counters: WorkerCounters;
  logger: Logger;
}

/**
 * Runs one attempt of one job, from the engine's hint to the outcome that is on its way to the ledger.
 *
 * A delivery is only a hint: the engine may give it twice, late, or for a job that is long done, and the claim
 * decides. From the claim on, the process may die at any line: the lease ends, the rescuer counts the attempt and
 * a later one runs under a larger token. So the engine may be told that the delivery is done as soon as the handler has
 * ended, and its place is free for the next job while the outcome is written together with others.
 */
export async function runAttempt(steps: AttemptSteps, dispatch: DispatchKey): Promise<void> {
  const job = await steps.claim(dispatch);
  if (!job) return;
  const logger = lazyChild(steps.logger, () => describe(job));
  const attempt = steps.running.begin(job);
  logger.debug('attempt started');
  let result: AttemptResult;
  try {
    const run = () => steps.execute(job, attempt.signal, logger);
    result = attempt.resultAfter(await attemptScope.run(attempt, run));
  } catch (error) {
    attempt.end();
    throw error;
  }
  const concluded = conclude(steps, { job, attempt, result, logger })
    .catch((error: unknown) => {
      logger.error({ err: error }, 'the outcome could not be recorded');
      steps.mustCount(job);
    })
    .finally(() => attempt.end());
  await steps.unlessTooMany(concluded);
}

interface Ended {
  job: ClaimedJob;
  attempt: RunningAttempt;
  result: AttemptResult;
  logger: LineLogger;
}

/** Decides what becomes of the job, records it and tells those who wait; writes nothing when the lease was lost. */
async function conclude(steps: AttemptSteps, { job, attempt, result, logger }: Ended): Promise<void> {
  if (attempt.leaseIsLost()) {
    logger.warn({ result: result.kind }, 'the lease was lost during the attempt; its result is discarded');
    return;
  }
  const outcome = decideOutcome(job, result, steps.spreadRetries(job));
  const status = await steps.record({ job, outcome });
  countEnd(steps.counters, job.queue, outcome, status);
  if (status === 'fenced') {
    logger.warn({ outcome: outcome.kind }, 'fenced: somebody else holds the job; the result is discarded');
    return;
  }
  logEnd(logger, status, 'error' in outcome ? outcome.error.code : undefined);
  steps.announce(job, status);
}

function describe(job: ClaimedJob): Record<string, unknown> {
  return { jobId: job.id, type: job.type, attempt: job.attempt, requestId: job.requestId ?? undefined };
}

/** The message of an error is not for the log: it may quote the payload. The attempt has it, and the dead letter. */
function logEnd(logger: LineLogger, status: JobStatus, errorCode: string | undefined): void {
  if (status === 'failed') logger.error({ status, errorCode }, 'attempt ended; the job is a dead letter now');
  else if (status === 'retrying') logger.warn({ status, errorCode }, 'attempt failed; it is tried again');
  else logger.debug({ status }, 'attempt ended');
}
