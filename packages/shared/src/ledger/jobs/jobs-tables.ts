import type { Generated, JSONColumnType, Selectable } from 'kysely';
import type { Backoff } from '../../core/job/backoff.ts';
import type { JobStatus } from '../../core/job/status.ts';

/** Asks for events of one job to be sent to `url`. */
export interface JobWebhook {
  url: string;
  events: string[];
}

/** The error of the last attempt, as clients see it; the stack stays with the attempt. */
export interface RecordedError {
  code: string;
  message: string;
  retryable: boolean;
  attempt: number;
}

/** What was asked for. Written once, when the job is accepted. `payload` is any JSON value. */
export interface JobsTable {
  id: string;
  tenant_id: string;
  type: string;
  queue: string;
  priority: number;
  payload: unknown;
  max_attempts: number;
  /** `null`: `DEFAULT_BACKOFF`. */
  backoff: JSONColumnType<Backoff> | null;
  timeout_ms: number;
  /** Ids of the payload schemas that were known to refuse the payload. */
  refused_by: string[];
  /** The time it was first to start at. */
  run_at: Date;
  expires_at: Date | null;
  concurrency_key: string | null;
  concurrency_limit: number | null;
  tags: JSONColumnType<string[]>;
  metadata: JSONColumnType<Record<string, unknown>>;
  webhook: JSONColumnType<JobWebhook> | null;
  copy_of: string | null;
  request_id: string | null;
  /** Whether the client gave it; else we made it up. */
  request_id_given: Generated<boolean>;
  traceparent: string | null;
  tracestate: string | null;
  created_at: Generated<Date>;
}

/** What a live job takes along from one of the hot tables to the next (`hot-rows.ts`). */
export interface HotRow {
  tenant_id: string;
  job_id: string;
  queue: string;
  type: string;
  priority: number;
  run_at: Date;
  expires_at: Date | null;
  /** Grows with every change that a client can see; the ETag is made of it. */
  version: number;
  /** The fencing token: grows with every claim and never shrinks. */
  attempt: number;
  /** Attempts that count against `max_attempts` in this replay round. */
  attempts_made: number;
  replay_round: number;
  dispatch_no: number;
  /** Which payload it runs with: 0 is the one that it was accepted with, any other is a row of `payload_revisions`. */
  revision: number;
  concurrency_key: string | null;
  concurrency_limit: number | null;
  /** How often its worker was lost without that counting as an attempt, in this replay round. */
  losses: number;
  /** Whether it may have killed a worker: until it ends in another way it runs in a process of its own. */
  suspect: boolean;
  /** Whether its end has more to be done for than to be written down (`after-finish.ts`). */
  has_followers: boolean;
  traceparent: string | null;
  /** Ids of the payload schemas that are known to refuse its payload. */
  refused_by: string[];
}

/** A job that may be dispatched now. */
export type ReadyTable = HotRow;

/** A job that may be dispatched once a slot of its concurrency key is free: its turn has come before. */
export interface BlockedTable extends HotRow {
  concurrency_key: string;
  /** The transaction that made it ready, as `xid8`. */
  placed_by: string;
}

/** A job whose time has not come, or had not when somebody last looked. */
export interface DueTable extends HotRow {
  status: 'scheduled' | 'retrying';
  /** The circuit breaker that holds it; `null`: it waits for its time. */
  held_by: string | null;
}

/** A job that was dispatched and, from the moment on when a worker claims it, runs. */
export interface InFlightTable extends HotRow {
  dispatched_at: Date;
  /** The transaction (`xid8`) that did it, as text. */
  dispatched_by: Generated<string>;
  /** The build whose lane it was dispatched to. */
  build_id: string | null;
  /** Who runs it; `null` until it is claimed, as are the other three. */
  worker_id: string | null;
  started_at: Date | null;
  cancel_requested_at: Date | null;
  /** Any JSON value. */
  progress: unknown;
}

export type AttemptOutcome = 'succeeded' | 'failed' | 'timeout' | 'worker_lost' | 'canceled' | 'released';

/**
 * How an attempt ended, and what became of its job by that. Written once, then. The newest of a job that is not live is its
 * outcome. One without `outcome` is an end without an attempt: the job was canceled or expired while it waited.
 */
export interface AttemptsTable {
  tenant_id: string;
  job_id: string;
  /** The job's, after this end. */
  version: number;
  attempt: number;
  replay_round: number;
  outcome: AttemptOutcome | null;
  /** The job's, after this end. */
  status: JobStatus;
  worker_id: string | null;
  /** What the worker was made of. */
  build_id: string | null;
  /** `RecordedError` without `attempt`, with `stack`. */
  error: unknown;
  progress: unknown;
  result: unknown;
  attempts_made: number;
  dispatch_no: number;
  revision: number;
  losses: number;
  suspect: boolean;
  dead_letter_id: string | null;
  /** Ids of the payload schemas that are known to refuse its payload; `null`: none. */
  refused_by: string[] | null;
  run_at: Date;
  dispatched_at: Date | null;
  started_at: Date | null;
  finished_at: Generated<Date>;
  cancel_requested_at: Date | null;
}

/** A payload that a replay brought, counted from 1, and what follows from it. */
export interface PayloadRevisionsTable {
  job_id: string;
  revision: number;
  tenant_id: string;
  dead_letter_id: string;
  payload: unknown;
  refused_by: string[];
  concurrency_key: string | null;
  actor: string;
  created_at: Generated<Date>;
}

/** A job as it stands, put together from the tables above. Nothing writes here. */
export interface CurrentJobsView {
  id: string;
  tenant_id: string;
  type: string;
  queue: string;
  status: JobStatus;
  priority: number;
  payload: unknown;
  result: unknown;
  error: JSONColumnType<RecordedError> | null;
  progress: unknown;
  attempt: number;
  attempts_made: number;
  max_attempts: number;
  replay_round: number;
  /** `null`: `DEFAULT_BACKOFF`. */
  backoff: JSONColumnType<Backoff> | null;
  timeout_ms: number;
  suspect: boolean;
  losses: number;
  dispatch_no: number;
  dispatched_at: Date | null;
  /** In whose lane it is; of a finished one, what ran it. */
  build_id: string | null;
  /** As long as it lives. */
  refused_by: string[] | null;
  /** Who runs the job, or ran it last. */
  worker_id: string | null;
  run_at: Date;
  expires_at: Date | null;
  concurrency_key: string | null;
  concurrency_limit: number | null;
  tags: JSONColumnType<string[]>;
  metadata: JSONColumnType<Record<string, unknown>>;
  webhook: JSONColumnType<JobWebhook> | null;
  copy_of: string | null;
  dead_letter_id: string | null;
  request_id: string | null;
  traceparent: string | null;
  tracestate: string | null;
  version: number;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
}

export type JobRow = Selectable<CurrentJobsView>;
export type AttemptRow = Selectable<AttemptsTable>;
