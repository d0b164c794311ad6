import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { uncaught } from '../handlers/attempt-error.ts';
import { type StopSignal, StopSwitch } from '../handlers/stop-signal.ts';

/** Why an attempt is told to stop; it is the `reason` of its signal. */
export type StopReason = 'canceled' | 'shutdown' | 'suspected' | 'leaseLost';

/** An attempt that is under way in this process. */
export interface RunningAttempt {
  readonly job: Pick<ClaimedJob, 'id' | 'type' | 'attempt'>;
  readonly signal: StopSignal;
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

class Attempt implements RunningAttempt {
  readonly job: RunningAttempt['job'];
  readonly signal = new StopSwitch();
  readonly #underWay: Set<Attempt>;
  readonly #onEnd: () => void;
  #failed: AttemptResult | undefined;

  constructor(job: RunningAttempt['job'], underWay: Set<Attempt>, onEnd: () => void) {
    this.job = job;
    this.#underWay = underWay;
    this.#onEnd = onEnd;
    underWay.add(this);
  }

  stop(reason: StopReason): void {
    this.signal.stop(reason);
  }

  blame(thrown: unknown): boolean {
    if (!this.#underWay.has(this)) return false;
    this.#failed ??= uncaught(thrown, 'worker');
    this.stop('shutdown');
    return true;
  }

  resultAfter(result: AttemptResult): AttemptResult {
    return result.kind === 'returned' ? result : (this.#failed ?? result);
  }

  leaseIsLost(): boolean {
    return this.signal.reason === 'leaseLost';
  }

  end(): void {
    this.#underWay.delete(this);
    this.#onEnd();
  }
}

export function createRunningAttempts(): RunningAttempts {
  const underWay = new Set<Attempt>();
  let waiting: (() => void)[] = [];
  let isShuttingDown = false;

  function onEnd(): void {
    if (underWay.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  return {
    begin(job) {
      const attempt = new Attempt(job, underWay, onEnd);
      if (isShuttingDown) attempt.stop('shutdown');
      return attempt;
    },
    stop(jobId, reason) {
      for (const attempt of underWay) if (attempt.job.id === jobId) attempt.stop(reason);
    },
    stopAll(reason) {
      isShuttingDown ||= reason !== 'leaseLost';
      for (const attempt of underWay) attempt.stop(reason);
    },
    count: () => underWay.size,
    has: (jobId) => underWay.values().some(({ job }) => job.id === jobId),
    idle() {
      if (underWay.size === 0) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
