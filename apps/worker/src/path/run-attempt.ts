import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import {
  type AttemptResult,
  decideOutcome,
  type Outcome,
  UNCOUNTED,
} from '@accepted/shared/core/job/decide-outcome';
import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { JobStatus } from '@accepted/shared/core/job/status';
import { type LineLogger, lazyChild } from '@accepted/shared/runtime/logging/lazy-child';
import type { Logger } from 'pino';
import { countEnd } from '../metrics/count-end.ts';
import type { WorkerCounters } from '../metrics/worker-counters.ts';
import type { Announcer } from './announcer.ts';
import { attemptScope } from './attempt-scope.ts';
import type { Claimer } from './claimer.ts';
import type { Executor } from './executor.ts';
import type { FinishMeter } from './finish-meter.ts';
import type { OutcomeLimit } from './outcomes-under-way.ts';
import type { Recorded, Recorder } from './recorder.ts';
import type { RetryBudgets } from './retry-budgets.ts';
import type { RunningAttempt, RunningAttempts } from './running-attempts.ts';

/** What an attempt passes through on its way, in this order. */
export interface AttemptPath {
  claimer: Pick<Claimer, 'claim'>;
  /** The attempts of this process, so that each can be stopped from outside. */
  running: RunningAttempts;
  executor: Executor;
  retryBudgets: RetryBudgets;
  recorder: Recorder;
  counters: WorkerCounters;
  /** How many jobs this worker finishes, for its heartbeats. */
  meter: Pick<FinishMeter, 'count'>;
  announcer: Pick<Announcer, 'attemptEnded'>;
  /** Waits for the outcome only when so many others are on their way that the ledger must be falling behind. */
  unlessTooMany: OutcomeLimit;
  /** Where no outcome could be recorded: has the attempt counted later on. */
  ownJobs: { mustCount(job: Pick<ClaimedJob, 'id' | 'attempt'>): void };
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
export async function runAttempt(path: AttemptPath, dispatch: DispatchKey): Promise<void> {
  const job = await path.claimer.claim(dispatch);
  if (!job) return;
  const logger = lazyChild(path.logger, () => describe(job));
  const attempt = path.running.begin(job);
  logger.debug('attempt started');
  let ended: Ended;
  try {
    const run = () => path.executor.execute(job, attempt.signal, logger);
    const { result, ranMs } = await attemptScope.run(attempt, run);
    ended = { job, attempt, result: attempt.resultAfter(result), ranMs, logger };
  } catch (error) {
    attempt.end();
    throw error;
  }
  await path.unlessTooMany(conclude(path, ended));
}

interface Ended {
  job: ClaimedJob;
  attempt: RunningAttempt;
  result: AttemptResult;
  ranMs: number | undefined;
  logger: LineLogger;
}

/** Decides what becomes of the job and has it recorded; writes nothing when the lease was lost. Never rejects. */
async function conclude(path: AttemptPath, ended: Ended): Promise<void> {
  const { job, attempt, result, ranMs, logger } = ended;
  try {
    if (attempt.leaseIsLost()) {
      logger.warn({ result: result.kind }, 'the lease was lost during the attempt; its result is discarded');
      return;
    }
    // What did not run is no attempt of the type's.
    const spread = result.kind === 'held' ? { ...UNCOUNTED, random: 0 } : path.retryBudgets.spread(job);
    const outcome = decideOutcome(job, result, spread);
    tellOfEnd(path, ended, outcome, await path.recorder.record({ job, outcome, ranMs }));
  } catch (error) {
    logger.error({ err: error }, 'the outcome could not be recorded');
    path.ownJobs.mustCount(job);
  } finally {
    attempt.end();
  }
}

/** Counts the end of an attempt as it was recorded, and tells those who wait for the job. */
function tellOfEnd(path: AttemptPath, { job, logger }: Ended, outcome: Outcome, status: Recorded): void {
  countEnd(path.counters, job.queue, outcome, status);
  if (status === 'fenced') {
    logger.warn({ outcome: outcome.kind }, 'fenced: somebody else holds the job; the result is discarded');
    return;
  }
  if (outcome.kind === 'hold')
    logger.debug({ breakerId: outcome.breakerId }, 'held: what it calls does not answer');
  else {
    logEnd(logger, status, 'error' in outcome ? outcome.error.code : undefined);
    path.meter.count(job.queue);
  }
  path.announcer.attemptEnded(job, status);
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
