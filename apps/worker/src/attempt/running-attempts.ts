/** Why an attempt is told to stop; it is the `reason` of its abort signal. */
export type StopReason = 'canceled' | 'shutdown' | 'leaseLost';

/** An attempt that is under way in this process. */
export interface RunningAttempt {
  signal: AbortSignal;
  /** Once true, what the attempt gives must not be written: the job belongs to somebody else. */
  leaseIsLost(): boolean;
  end(): void;
}

/** Keeps track of the attempts of this process, so that each can be stopped from outside. */
export interface RunningAttempts {
  begin(jobId: string): RunningAttempt;
  stop(jobId: string, reason: StopReason): void;
  /** After a shutdown every attempt that begins is stopped at once. */
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
    begin(jobId) {
      const entry = { jobId, abort: new AbortController() };
      controllers.add(entry);
      if (isShuttingDown) entry.abort.abort('shutdown');
      return {
        signal: entry.abort.signal,
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
      isShuttingDown ||= reason === 'shutdown';
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
