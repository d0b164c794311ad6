import type { CounterIncrement } from '@accepted/shared/ledger/queues/counters';

/** Names what a worker counts, by queue; `apps/api` shows each at `/metrics` under a name of its own. */
export type WorkerCounterName =
  /** Attempts that ended; labeled with their outcome. */
  | 'attempts'
  /** Jobs that reached a terminal status; labeled with it. */
  | 'jobs_finished'
  | 'dead_letters_created'
  /** Outcomes that were refused because somebody else holds the job. */
  | 'fenced'
  /** Jobs that the engine had lost and that are dispatched again. */
  | 'redispatched'
  /** Attempts that were ended because their worker was lost. */
  | 'rescued';

/** Counts what happens in this process until it is taken away to the ledger. */
export interface WorkerCounters {
  add(name: WorkerCounterName, queue: string, by?: number, label?: string): void;
  /** Takes everything that was counted since the last time. */
  take(): CounterIncrement[];
}

export function createWorkerCounters(): WorkerCounters {
  let counted = new Map<string, CounterIncrement>();

  return {
    add(name, queue, by = 1, label = '') {
      if (by === 0) return;
      // Its length tells where the name of the queue ends, whatever that and the label are.
      const key = `${name} ${queue.length} ${queue}${label}`;
      const earlier = counted.get(key);
      if (earlier) earlier.by += by;
      else counted.set(key, { name, queue, label, by });
    },
    take() {
      const taken = [...counted.values()];
      counted = new Map();
      return taken;
    },
  };
}
