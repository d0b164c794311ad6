import type { JobKey } from '@accepted/shared/ledger/jobs/job-key';

/** Lets requests wait for jobs to finish. Ids are UUIDs of the ledger. */
export interface JobWaiter {
  /** Starts to wait for a job; to miss nothing, start before looking at the job. */
  watch(job: JobKey): { finished: Promise<void>; stop(): void };
  /** Tells that jobs may have finished. */
  wake(jobIds: Iterable<string>): void;
  /** Counts the jobs that somebody waits for. */
  count(): number;
  /** Ends all waiting, so that a shutdown need not wait for it. */
  wakeAll(): void;
}

export interface JobWaiterOptions {
  /** Picks out of these jobs the finished ones; asked once for all waiters, as notifications can be lost. */
  findFinished: (jobs: JobKey[]) => Promise<string[]>;
  pollEveryMs: number;
  onError: (error: unknown) => void;
}

/** A job, and how to tell those who wait for it. */
interface Watched {
  job: JobKey;
  resolvers: Set<() => void>;
}

export function createJobWaiter({ findFinished, pollEveryMs, onError }: JobWaiterOptions): JobWaiter {
  const waiting = new Map<string, Watched>();
  let polling = false;

  function wake(jobIds: Iterable<string>): void {
    for (const jobId of jobIds) {
      for (const resolve of waiting.get(jobId)?.resolvers ?? []) resolve();
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
      if (waiting.size > 0) wake(await findFinished([...waiting.values()].map(({ job }) => job)));
    } catch (error) {
      onError(error);
    }
    polling = false;
    if (waiting.size > 0) pollLater();
  }

  return {
    watch(job) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const watched = waiting.get(job.id) ?? { job, resolvers: new Set() };
      watched.resolvers.add(resolve);
      waiting.set(job.id, watched);
      pollLater();
      return {
        finished: promise,
        stop() {
          watched.resolvers.delete(resolve);
          if (watched.resolvers.size === 0 && waiting.get(job.id) === watched) waiting.delete(job.id);
          resolve();
        },
      };
    },
    wake,
    count: () => waiting.size,
    wakeAll: () => wake([...waiting.keys()]),
  };
}
