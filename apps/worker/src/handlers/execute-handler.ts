import type { JobLogger } from '@accepted/job';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { numbersAsText } from '@accepted/shared/core/json/exact-numbers';
import { describeThrown } from './attempt-error.ts';
import { Deadline } from './deadline.ts';
import { type LendProcess, runIsolated } from './isolated-handler.ts';
import { type ContextControls, createJobContext, jobFacts } from './job-context.ts';
import type { LoadedHandler } from './loaded-handler.ts';
import { ownProcess } from './own-process.ts';
import { withProcess } from './process-pool.ts';
import { runHandler } from './run-handler.ts';
import type { StopSignal } from './stop-signal.ts';

export interface AttemptControls {
  /** Stops the attempt; the reason `canceled` cancels the job, every other one gives it back. */
  signal: StopSignal;
  /** Takes each progress as a JSON value; not called after the attempt has ended. */
  onProgress(value: unknown): void;
  logger: JobLogger;
  /** How long a handler may still settle after its signal aborted; 1 s when left out. */
  graceMs?: number;
  /** The largest result, in bytes of JSON; 1 MiB when left out. */
  maxResultBytes?: number;
}

/**
 * Runs one attempt of a job by its handler. Never rejects, and never hangs: a handler that does not settle is given
 * up a grace after its timeout or abort. One that returns a result within the grace has done its work, so the
 * result counts.
 */
export async function executeHandler(
  handler: LoadedHandler,
  job: ClaimedJob,
  { signal, onProgress, logger, graceMs = 1_000, maxResultBytes = 2 ** 20 }: AttemptControls,
): Promise<AttemptResult> {
  const deadline = new Deadline({ timeoutMs: job.timeoutMs, graceMs, signal });
  let ended = false;
  try {
    if (deadline.stopped) return deadline.stopped;
    const controls: ContextControls = {
      signal: deadline.signal,
      logger,
      onProgress: (value) => ended || onProgress(value),
    };
    const run = runnerFor(handler, job);
    const result = await new Promise<AttemptResult>((resolve, reject) => {
      deadline.whenGivenUp(resolve);
      run(handler, job, controls, deadline, maxResultBytes).then(resolve, reject);
    });
    return result.kind === 'returned' ? result : (deadline.stopped ?? result);
  } catch (error) {
    return deadline.stopped ?? describeThrown(error);
  } finally {
    ended = true;
    deadline.close();
  }
}

type Run = (
  handler: LoadedHandler,
  job: ClaimedJob,
  controls: ContextControls,
  deadline: Deadline,
  maxResultBytes: number,
) => Promise<AttemptResult>;

/**
 * A suspect gets a process of its own whatever its handler says; what is built in has no file to load there. Hundreds are
 * suspects after a crash, and nearly all are innocent and quick, so they use a process one after the other, until one dies
 * there: it is accused and gets a new one, whose death convicts.
 */
function runnerFor({ file, definition }: LoadedHandler, job: ClaimedJob): Run {
  if (file === undefined) return runHere;
  const { isolate: isIsolated } = definition;
  if (job.suspect) return runInProcess(file, ownProcess({ mustBeNew: job.accused, isIsolated }));
  return isIsolated ? runInProcess(file, withProcess) : runHere;
}

const runHere: Run = (handler, job, controls, deadline, maxResultBytes) => {
  deadline.start();
  const ctx = createJobContext(jobFacts(job), job.attempt, controls);
  return runHandler(handler.definition, payloadFor(handler, job), ctx, maxResultBytes);
};

function runInProcess(file: string, lend: LendProcess): Run {
  return (handler, job, controls, deadline, maxResultBytes) => {
    const payload = payloadFor(handler, job);
    const work = { file, payload, attempt: job.attempt, facts: jobFacts(job), maxResultBytes };
    return runIsolated(work, controls, deadline, lend);
  };
}

/** A number that a double would change comes as text: a handler must not act on a number that nobody sent. */
function payloadFor({ rawField }: LoadedHandler, { payload }: ClaimedJob): unknown {
  const asText = numbersAsText(payload);
  // Without such a number it is the payload itself; one that stands alone is no object any more.
  if (rawField === undefined || asText === payload || typeof asText !== 'object') return asText;
  const raw = payload as Record<string, unknown>;
  return Object.hasOwn(raw, rawField) ? { ...asText, [rawField]: raw[rawField] } : asText;
}
