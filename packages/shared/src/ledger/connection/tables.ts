import type { ColumnType, Generated, Insertable, JSONColumnType, Selectable } from 'kysely';
import type { Backoff } from '../../core/job/backoff.ts';
import type { BulkReplayStatus } from '../../core/job/bulk-replay.ts';
import type { JobTypeDefaults } from '../../core/job/job-type.ts';
import type { JobStatus } from '../../core/job/status.ts';
import type { RetiredSecret } from '../../core/webhook/retired-secrets.ts';
import type { IdempotencyKeysTable } from '../jobs/idempotency-keys-table.ts';

/** Describes the ledger to Kysely; the migrations are what makes it. Times are `Date`s, ids bare UUIDs. */
export interface Ledger {
  tenants: TenantsTable;
  api_keys: ApiKeysTable;
  queues: QueuesTable;
  builds: BuildsTable;
  build_types: BuildTypesTable;
  workers: WorkersTable;
  jobs: JobsTable;
  idempotency_keys: IdempotencyKeysTable;
  attempts: AttemptsTable;
  dead_letters: DeadLettersTable;
  audit_log: AuditLogTable;
  payload_edits: PayloadEditsTable;
  bulk_replays: BulkReplaysTable;
  bulk_replay_items: BulkReplayItemsTable;
  counters: CountersTable;
  webhook_deliveries: WebhookDeliveriesTable;
}

/** A column that the server fills when it is left out, and that nobody changes later. */
type CreatedAt = Generated<Date>;

interface TenantsTable {
  id: string;
  name: string;
  webhook_secret: string;
  /** Sealed as the current one is, the newest first. */
  retired_webhook_secrets: ColumnType<RetiredSecret[], string | undefined, string>;
  created_at: CreatedAt;
}

interface ApiKeysTable {
  id: string;
  tenant_id: string;
  name: string;
  secret_hash: Buffer;
  scopes: string[];
  created_at: CreatedAt;
  revoked_at: Date | null;
}

interface QueuesTable {
  name: string;
  /** Counts the turns of the queue's dispatchers; a bigint comes as text. */
  dispatch_round: Generated<string>;
  created_at: CreatedAt;
}

/** What a worker can run, named by a hash of it. */
interface BuildsTable {
  id: string;
  registered_at: CreatedAt;
  /** Is set when the last one of its workers ends, is lost, or when one starts. */
  last_lived_at: Generated<Date>;
  /** Since when nothing of it is left in the engine. */
  lanes_removed_at: Date | null;
}

interface BuildTypesTable {
  build_id: string;
  type: string;
  queue: string;
  /** A hash of the payload schema. */
  schema_id: string;
  payload_schema: JSONColumnType<object>;
  result_schema: JSONColumnType<object> | null;
  defaults: JSONColumnType<JobTypeDefaults>;
}

interface WorkersTable {
  id: string;
  hostname: string;
  pid: number;
  queues: string[];
  concurrency: number;
  /** `null`: it is of the version before builds. */
  build_id: string | null;
  /** Jobs that this worker finishes per second, by queue, as of its last heartbeat. */
  finished_per_second: ColumnType<Record<string, number>, string | undefined, string>;
  started_at: CreatedAt;
  heartbeat_at: Generated<Date>;
  /** Since when its heartbeats have gone through without a gap. */
  steady_since: Generated<Date>;
  /** Whether it reached the queue engine at its last heartbeat. */
  engine_up: Generated<boolean>;
  /** How full the engine's memory was then, from 0 to 1; `null` where that is not known. */
  engine_fullness: number | null;
  draining_at: Date | null;
  lost_at: Date | null;
  /** How many jobs ran in this worker when its lease was ended. */
  running_when_lost: number | null;
}

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

/** `payload`, `result` and `progress` are any JSON value; pg has parsed them when a row is read. */
interface JobsTable {
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
  /** The fencing token: grows with every claim and never shrinks. */
  attempt: Generated<number>;
  /** Attempts that count against `max_attempts` in this replay round. */
  attempts_made: Generated<number>;
  max_attempts: number;
  replay_round: Generated<number>;
  backoff: JSONColumnType<Backoff>;
  timeout_ms: number;
  /** Whether it may have killed a worker: until it ends in another way it runs in a process of its own. */
  suspect: Generated<boolean>;
  /** How often its worker was lost without that counting as an attempt, in this replay round. */
  losses: Generated<number>;
  dispatch_no: Generated<number>;
  dispatched_at: Date | null;
  /** The build whose lane it was last dispatched to. */
  build_id: string | null;
  /** Ids of the payload schemas that are known to refuse its payload. */
  refused_by: Generated<string[]>;
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
  /** Grows with every change that a client can see; the ETag is made of it. */
  version: Generated<number>;
  created_at: CreatedAt;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
}

export type AttemptOutcome = 'succeeded' | 'failed' | 'timeout' | 'worker_lost' | 'canceled' | 'released';

interface AttemptsTable {
  job_id: string;
  attempt: number;
  replay_round: number;
  worker_id: string | null;
  outcome: AttemptOutcome;
  /** `RecordedError` without `attempt`, with `stack`. */
  error: unknown;
  started_at: Date;
  finished_at: Generated<Date>;
}

interface DeadLettersTable {
  id: string;
  job_id: string;
  tenant_id: string;
  queue: string;
  type: string;
  reason: string;
  /** `{ code, message, retryable, stack }` of the last attempt. */
  error: JSONColumnType<{ code: string; message: string; retryable: boolean; stack?: string }>;
  /** Groups alike errors. */
  fingerprint: string;
  attempt: number;
  attempts_made: number;
  worker_id: string | null;
  versions: JSONColumnType<Record<string, string>>;
  created_at: CreatedAt;
  mirrored_at: Date | null;
  resolution: 'replayed' | 'discarded' | null;
  resolved_at: Date | null;
  resolved_by: string | null;
  resolved_reason: string | null;
}

interface AuditLogTable {
  id: string;
  tenant_id: string | null;
  actor: string;
  action: string;
  target: string;
  detail: JSONColumnType<Record<string, unknown>>;
  created_at: CreatedAt;
}

/** The payload that a job had up to and including `replay_round`, kept when a replay changed it. */
interface PayloadEditsTable {
  job_id: string;
  replay_round: number;
  tenant_id: string;
  dead_letter_id: string;
  payload: unknown;
  actor: string;
  created_at: CreatedAt;
}

interface BulkReplaysTable {
  id: string;
  tenant_id: string;
  actor: string;
  reason: string;
  /** What was asked for, `{ filter }` or `{ ids }`; the dead letters that it matched are the items. */
  selection: JSONColumnType<Record<string, unknown>>;
  rate_per_second: number | null;
  canary: number;
  status: BulkReplayStatus;
  matched: number;
  /** Whether there were more dead letters than one bulk replay takes. */
  limited: boolean;
  /** The time up to which the rate is used up. */
  spent_until: Generated<Date>;
  /** When a worker is to go on with it. */
  next_step_at: Generated<Date>;
  /** When somebody last looked what became of the replayed jobs. */
  settled_at: Generated<Date>;
  created_at: CreatedAt;
  /** When there was nothing left to replay and every replayed job was finished. */
  finished_at: Date | null;
}

interface BulkReplayItemsTable {
  bulk_replay_id: string;
  dead_letter_id: string;
  tenant_id: string;
  /** `skipped`: it was resolved by somebody else in the meantime. */
  state: Generated<'pending' | 'skipped' | 'replayed' | 'succeeded' | 'failed'>;
  job_id: string | null;
  /** The round that the replay began. */
  replay_round: number | null;
}

/** Leads from a job to the jobs that deliver its webhook. */
interface WebhookDeliveriesTable {
  job_id: string;
  delivery_id: string;
  tenant_id: string;
  event: string;
  created_at: CreatedAt;
}

/** Totals over all processes, ever; they only grow. */
interface CountersTable {
  name: string;
  queue: string;
  label: string;
  total: string;
}

export type JobRow = Selectable<JobsTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type DeadLetterRow = Selectable<DeadLettersTable>;
export type BulkReplayRow = Selectable<BulkReplaysTable>;
export type AuditRow = Selectable<AuditLogTable>;
export type ApiKeyRow = Selectable<ApiKeysTable>;
export type NewDeadLetterRow = Insertable<DeadLettersTable>;
