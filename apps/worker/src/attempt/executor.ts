import type { Database } from '@accepted/shared/database/connect';
import type { ClaimedJob } from '@accepted/shared/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/job/decide-outcome';
import type { Logger } from 'pino';
import { executeHandler } from '../handlers/execute-handler.ts';
import type { LoadedHandler } from '../handlers/loaded-handler.ts';
import { createProgressReporter } from './progress-reporter.ts';

/** Makes the function that finds a job's handler and runs it, with its progress written to the ledger. */
export function createExecutor(options: { db: Database; handlers: LoadedHandler[] }) {
  const handlerOf = new Map(options.handlers.map((handler) => [handler.type, handler]));

  return async (job: ClaimedJob, signal: AbortSignal, logger: Logger): Promise<AttemptResult> => {
    const handler = handlerOf.get(job.type);
    if (!handler) return noHandler(job);
    const progress = createProgressReporter(options.db, job, logger);
    const result = await executeHandler(handler, job, { signal, onProgress: progress.report, logger });
    await progress.settled();
    return result;
  };
}

/** Another worker on this queue may know the type, for example during a deploy: worth another try. */
function noHandler(job: ClaimedJob): AttemptResult {
  const message = `This worker has no handler for jobs of type "${job.type}".`;
  return { kind: 'threw', error: { code: 'unknown_job_type', message, retryable: true } };
}
