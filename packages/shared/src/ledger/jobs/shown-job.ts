import { sql } from 'kysely';
import type { JobRow } from './jobs-tables.ts';

/** A job as lists have it: payload and result stay in the database. */
export type JobListRow = Omit<JobRow, 'payload' | 'result' | 'refused_by'>;

/** A whole job, its payload and its result as the JSON texts that they were accepted and recorded as. */
export type ShownJob = JobListRow & { payloadJson: string; resultJson: string | null };

const LIST_COLUMNS = [
  'id',
  'tenant_id',
  'type',
  'queue',
  'status',
  'priority',
  'error',
  'progress',
  'attempt',
  'attempts_made',
  'max_attempts',
  'replay_round',
  'backoff',
  'timeout_ms',
  'suspect',
  'losses',
  'dispatch_no',
  'dispatched_at',
  'worker_id',
  'build_id',
  'run_at',
  'expires_at',
  'concurrency_key',
  'concurrency_limit',
  'tags',
  'metadata',
  'webhook',
  'copy_of',
  'dead_letter_id',
  'request_id',
  'traceparent',
  'tracestate',
  'version',
  'created_at',
  'started_at',
  'finished_at',
  'cancel_requested_at',
] as const satisfies (keyof JobListRow)[];

/** Those that a job in a list is read from. */
export const LISTED = sql.join(LIST_COLUMNS.map((column) => sql.ref(column)));

/** The columns of `current_jobs` that a whole job is read from. */
export const SHOWN = sql`${LISTED},
  payload::text AS "payloadJson", result::text AS "resultJson"`;
