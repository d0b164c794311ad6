import type { Priority } from '@accepted/shared/core/job/priority';
import type { JobStatus } from '@accepted/shared/core/job/status';

/** Rows of the files in `ledger/`, written after everything has stopped. */
export interface LedgerJob {
  jobId: string;
  type: string;
  queue: string;
  priority: Priority;
  status: JobStatus;
  attempt: number;
  attemptsMade: number;
  maxAttempts: number;
  replayRound: number;
  dispatchNo: number;
  concurrencyKey: string | null;
  hasWebhook: boolean;
  /** Of a delivery: the event's id (`evt_…`), and the job it tells of. */
  eventId: string | null;
  eventJobId: string | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** `result.token`, which every handler of the suite returns: the token of the attempt whose result was recorded. */
  resultToken: number | null;
}

export interface LedgerAttempt {
  jobId: string;
  /** The fencing token. */
  attempt: number;
  replayRound: number;
  /** Under which lease it ran. */
  workerId: string | null;
  outcome: string;
  errorCode: string | null;
  startedAt: number;
  finishedAt: number;
}

/** Whether the worker was lost meanwhile, be it that this counts for the job or not. */
export function isLost({ outcome, errorCode }: LedgerAttempt): boolean {
  return outcome === 'worker_lost' || (outcome === 'released' && errorCode === 'worker_lost');
}

export interface LedgerDeadLetter {
  jobId: string;
  reason: string;
  attempt: number;
  createdAt: number;
  resolution: 'replayed' | 'discarded' | null;
}

/** One audited replay. */
export interface LedgerReplay {
  jobId: string;
  at: number;
}

export interface LedgerKey {
  key: string;
  jobId: string;
}

/**
 * Written by a trigger of the suite: each transition that is not in the table of `shared/core/job/status.ts`, each that
 * leaves a terminal status (a replay is legal but has to be in `replays`), each second end of a job (its `finished_at`
 * changed from one time to another: `from` and `to` are the terminal statuses then, often the same), each token that went back (from and to
 * are `attempt 4` and `attempt 3` then), and each row that was deleted (`to` is `deleted`).
 */
export interface TransitionLine {
  at: number;
  jobId: string;
  from: string;
  to: string;
}

/** One lease of a worker process, written down by triggers of the suite, by the clock of Postgres. */
export interface LedgerLease {
  workerId: string;
  pid: number;
  beganAt: number;
  /** When somebody found its heartbeat too old. */
  lostAt: number | null;
  /** When the worker itself gave it back. */
  releasedAt: number | null;
}
