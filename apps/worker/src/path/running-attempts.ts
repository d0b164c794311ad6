import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { uncaught } from '../handlers/attempt-error.ts';

/** Why an attempt is told to stop; it is the `reason` of its abort signal. */
export type StopReason = 'canceled' | 'shutdown' | 'suspected' | 'leaseLost';

/** An attempt that is under way in this process. */
export interface RunningAttempt {
  readonly job: Pick<ClaimedJob, 'id' | 'type' | 'attempt'>;
  signal: AbortSignal;
  /**
   * Has the attempt fail by an exception that nobody caught and that ends this process; changes nothing when it has
   * ended. Answers whether it was under way.
   */
  blame(thrown: unknown): boolean;
  /** What the attempt comes to: its result, or that of the exception that it was blamed for. */
  resultAfter(result: AttemptResult): AttemptResult;
  /** Once true, what the attempt gives must not be written: the job belongs to somebody else. */
  leaseIsLost(): boolean;
  end(): void;
}

/** Keeps track of the attempts of this process, so that each can be stopped from outside. */
export interface RunningAttempts {
  begin(job: RunningAttempt['job']): RunningAttempt;
  stop(jobId: string, reason: StopReason): void;
  /** Every attempt that begins afterwards is stopped at once, unless only the lease was lost. */
  stopAll(reason: StopReason): void;
  count(): number;
  has(jobId: string): boolean;
  /** Resolves when no attempt is under way. */
  idle(): Promise<void>;
}

export function createRunningAttempts(): RunningAttempts {
  const controllers = new Set<{ jobId: string; abort: AbortController }>();
  let waiting: (() => void)[] = [];
  let isShuttingDown = false;

  return {
    begin(job) {
      const entry = { jobId: job.id, abort: new AbortController() };
      let failed: AttemptResult | undefined;
      controllers.add(entry);
      if (isShuttingDown) entry.abort.abort('shutdown');
      return {
        job,
        signal: entry.abort.signal,
        blame(thrown) {
          if (!controllers.has(entry)) return false;
          failed ??= uncaught(thrown, 'worker');
          entry.abort.abort('shutdown');
          return true;
        },
        resultAfter: (result) => (result.kind === 'returned' ? result : (failed ?? result)),
        leaseIsLost: () => entry.abort.signal.reason === 'leaseLost',
        end() {
          controllers.delete(entry);
          if (controllers.size > 0) return;
          for (const resolve of waiting) resolve();
          waiting = [];
        },
      };
    },
    stop(jobId, reason) {
      for (const entry of controllers) if (entry.jobId === jobId) entry.abort.abort(reason);
    },
    stopAll(reason) {
      isShuttingDown ||= reason !== 'leaseLost';
      for (const entry of controllers) entry.abort.abort(reason);
    },
    count: () => controllers.size,
    has: (jobId) => [...controllers].some((entry) => entry.jobId === jobId),
    idle() {
      if (controllers.size === 0) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
