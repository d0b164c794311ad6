/** Lets requests wait for jobs to finish. Ids are UUIDs of the ledger. */
export interface JobWaiter {
  /** Starts to wait for a job; to miss nothing, start before looking at the job. */
  watch(jobId: string): { finished: Promise<void>; stop(): void };
  /** Tells that jobs may have finished. */
  wake(jobIds: Iterable<string>): void;
  /** Counts the jobs that somebody waits for. */
  count(): number;
  /** Ends all waiting, so that a shutdown need not wait for it. */
  wakeAll(): void;
}

export interface JobWaiterOptions {
  /** Picks out of these jobs the finished ones; asked once for all waiters, as notifications can be lost. */
  findFinished: (jobIds: string[]) => Promise<string[]>;
  pollEveryMs: number;
  onError: (error: unknown) => void;
}

export function createJobWaiter({ findFinished, pollEveryMs, onError }: JobWaiterOptions): JobWaiter {
  const waiting = new Map<string, Set<() => void>>();
  let polling = false;

  function wake(jobIds: Iterable<string>): void {
    for (const jobId of jobIds) {
      for (const resolve of waiting.get(jobId) ?? []) resolve();
      waiting.delete(jobId);
    }
  }

  function pollLater(): void {
    if (polling) return;
    polling = true;
    setTimeout(() => void poll(), pollEveryMs).unref();
  }

  async function poll(): Promise<void> {
    try {
      if (waiting.size > 0) wake(await findFinished([...waiting.keys()]));
    } catch (error) {
      onError(error);
    }
    polling = false;
    if (waiting.size > 0) pollLater();
  }

  return {
    watch(jobId) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const resolvers = waiting.get(jobId) ?? new Set();
      waiting.set(jobId, resolvers.add(resolve));
      pollLater();
      return {
        finished: promise,
        stop() {
          resolvers.delete(resolve);
          if (resolvers.size === 0 && waiting.get(jobId) === resolvers) waiting.delete(jobId);
          resolve();
        },
      };
    },
    wake,
    count: () => waiting.size,
    wakeAll: () => wake([...waiting.keys()]),
  };
}
