import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { numbersAsText } from '@accepted/shared/core/json/exact-numbers';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { LineLogger } from '@accepted/shared/runtime/logging/lazy-child';
import { executeHandler } from '../handlers/execute-handler.ts';
import type { LoadedHandler } from '../handlers/loaded-handler.ts';
import type { StopSignal } from '../handlers/stop-signal.ts';
import type { Breakers, Held } from '../outbound/breakers.ts';
import type { HandlerSlots } from './handler-slots.ts';
import type { RefusingSchema } from './own-schemas.ts';
import { createProgressReporter, type ProgressReporter } from './progress-reporter.ts';

/** What came of an attempt, and how long its handler had a slot; `undefined`: it had none. */
export interface Executed {
  result: AttemptResult;
  ranMs: number | undefined;
}

/** Finds a job's handler and runs it. */
export interface Executor {
  /**
   * Runs the handler to its end, whatever it does: never rejects, never hangs. A job that calls what does not answer just now is
   * held instead.
   */
  execute(job: ClaimedJob, signal: StopSignal, logger: LineLogger): Promise<Executed>;
}

export interface ExecutorOptions {
  db: Database;
  handlers: LoadedHandler[];
  refusingSchema: RefusingSchema;
  /** Where the handler of a job has to find a slot to run in. */
  slotsFor: (job: ClaimedJob) => Pick<HandlerSlots, 'run'>;
  breakers: Pick<Breakers, 'enter'>;
  /** From which level on a handler's own lines are written; that of the worker when left out. */
  logLevel?: string | undefined;
}

/**
 * Makes an executor, which writes a handler's progress to the ledger. A job that only
 * workers of another build can run is misdirected: its type is not known here, or the JSON Schema that this build
 * registered refuses its payload. A payload that only the real schema refuses, by a refinement, is the job's own fault.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const handlerOf = new Map(options.handlers.map((handler) => [handler.type, handler]));

  async function run(job: ClaimedJob, signal: StopSignal, logger: LineLogger): Promise<AttemptResult> {
    const handler = handlerOf.get(job.type);
    if (!handler) return { kind: 'misdirected' };
    let progress: ProgressReporter | undefined;
    const onProgress = (value: unknown) => {
      progress ??= createProgressReporter(options.db, job, logger);
      progress.report(value);
    };
    const level = options.logLevel;
    const ownLogger = level === undefined ? logger : logger.atLevel(level);
    const result = await executeHandler(handler, job, { signal, onProgress, logger: ownLogger });
    if (progress) await progress.settled();
    if (result.kind !== 'threw' || !result.payloadRefused) return result;
    const refusedBy = options.refusingSchema(job.type, numbersAsText(job.payload));
    return refusedBy === undefined ? result : { kind: 'misdirected', refusedBy };
  }

  return {
    async execute(job, signal, logger) {
      const passage = await options.breakers.enter(job);
      if ('held' in passage) return { result: passage.held, ranMs: undefined };
      let beganMs: number | undefined;
      const inSlot = async (): Promise<AttemptResult | Held> => {
        const held = passage.heldSince();
        if (held) return held;
        beganMs = performance.now();
        return await run(job, signal, logger);
      };
      const result = (await options.slotsFor(job).run(job, inSlot, signal)) ?? notStarted(signal);
      const ranMs = beganMs === undefined ? undefined : performance.now() - beganMs;
      passage.ended(result);
      return { result, ranMs };
    },
  };
}

/** A job that got no slot is given back, and burns no attempt; one that was canceled meanwhile is canceled. */
function notStarted(signal: StopSignal): AttemptResult {
  return { kind: 'aborted', reason: signal.reason === 'canceled' ? 'canceled' : 'shutdown' };
}
