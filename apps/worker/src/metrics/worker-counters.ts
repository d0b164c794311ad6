import { createProcessCounters, type ProcessCounters } from '@accepted/shared/ledger/queues/process-counters';

/** Names what a worker counts, by queue; `apps/api` shows each at `/metrics` under a name of its own. */
export type WorkerCounterName =
  /** Attempts that ended; labeled with their outcome. */
  | 'attempts'
  /** Jobs that reached a terminal status; labeled with it. */
  | 'jobs_finished'
  | 'dead_letters_created'
  /** Circuit breakers that were opened; labeled with the type of the jobs that call. */
  | 'breakers_opened'
  /** Jobs that did not run because what they call does not answer: each as often as it came back meanwhile. */
  | 'jobs_held'
  /** Outcomes that were refused because somebody else holds the job. */
  | 'fenced'
  /** Jobs that the engine had lost and that are dispatched again. */
  | 'redispatched'
  /** Attempts that were ended because their worker was lost. */
  | 'rescued';

export type WorkerCounters = ProcessCounters<WorkerCounterName>;

export const createWorkerCounters = (): WorkerCounters => createProcessCounters();
