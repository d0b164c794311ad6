import type { Backoff } from './backoff.ts';

/** A job that a worker holds the lease of: what its handler and its outcome need to know. */
export interface ClaimedJob {
  id: string;
  tenantId: string;
  type: string;
  queue: string;
  /** The fencing token: no later claim of this job has a smaller one. */
  attempt: number;
  /** Attempts that count, this one included. */
  attemptsMade: number;
  maxAttempts: number;
  backoff: Backoff;
  timeoutMs: number;
  /** Whether it may have killed a worker: it runs in a process of its own then. */
  suspect: boolean;
  /** Whether it is a suspect with which a process died that others had used: if a new one dies too, it was the job. */
  accused: boolean;
  /** Whether its end has more to be done for than to be written down. */
  hasFollowers: boolean;
  /** Whether its end may let another job of its concurrency key run. */
  isKeyed: boolean;
  payload: unknown;
  tags: string[];
  metadata: Record<string, unknown>;
  createdAt: Date;
  requestId: string | null;
  traceparent: string | null;
  tracestate: string | null;
}
