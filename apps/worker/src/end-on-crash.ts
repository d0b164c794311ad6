import { publicId } from '@accepted/shared/core/job/id';
import type { Logger } from 'pino';
import { attemptScope } from './path/attempt-scope.ts';
import type { RunningAttempt } from './path/running-attempts.ts';
import type { GiveUpReason } from './services.ts';

/** After an exception that nobody caught the process is not to be trusted for long, whatever hangs. */
const HARD_EXIT_MS = 3_000;
/** A timer that throws again and again must not fill the log meanwhile. */
const MAX_LOGGED = 5;
const EXIT_FAILED = 1;

/**
 * Ends this process after an exception that nobody caught: in order, but soon. A handler that left it counts for its
 * own job if that still runs, and for no other: all are given back. Where nobody can tell whose it was they have to
 * show it in processes of their own.
 */
export function endOnUncaughtException(options: {
  giveUp: (reason: GiveUpReason) => Promise<void>;
  exit: (code: number) => void;
  logger: Logger;
}): void {
  const { giveUp, exit, logger } = options;
  let seen = 0;
  process.on('uncaughtException', (error) => {
    const culprit = attemptScope.getStore();
    const itRan = culprit?.blame(error) ?? false;
    seen += 1;
    if (seen <= MAX_LOGGED)
      // Node itself would print the error with everything that a driver has put on it.
      logger.fatal(
        { err: error, ...(culprit && named(culprit, itRan)) },
        'ending after an error that nothing caught',
      );
    if (seen > 1) return;
    setTimeout(exit, HARD_EXIT_MS, EXIT_FAILED);
    giveUp(culprit ? 'shutdown' : 'suspected')
      .catch((failure: unknown) => logger.error({ err: failure }, 'the worker could not be ended in order'))
      .finally(() => exit(EXIT_FAILED));
  });
}

/** Tells which handler it was when one ends the process; nothing can be written to the ledger any more by then. */
export function tellOfExit(options: {
  isExpected: () => boolean;
  runningJobs: () => number;
  logger: Logger;
}): void {
  process.on('exit', (code) => {
    if (options.isExpected()) return;
    const culprit = attemptScope.getStore();
    const runningJobs = options.runningJobs();
    options.logger.fatal(
      { code, runningJobs, ...(culprit && named(culprit)) },
      'ended by process.exit(), probably in a handler; what ran here is rescued when the lease ends',
    );
  });
}

function named({ job }: RunningAttempt, itRan?: boolean) {
  return {
    jobId: publicId('job', job.id),
    type: job.type,
    attempt: job.attempt,
    ...(itRan === false && { hasEnded: true }),
  };
}
