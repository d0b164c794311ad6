import type { ColumnType, Generated, Insertable, JSONColumnType, Selectable } from 'kysely';
import type { BulkReplayStatus } from '../../core/job/bulk-replay.ts';
import type { JobTypeDefaults } from '../../core/job/job-type.ts';
import type { RetiredSecret } from '../../core/webhook/retired-secrets.ts';
import type { IdempotencyKeysTable } from '../jobs/idempotency-keys-table.ts';
import type {
  AttemptsTable,
  BlockedTable,
  CurrentJobsView,
  DueTable,
  InFlightTable,
  JobsTable,
  PayloadRevisionsTable,
  ReadyTable,
} from '../jobs/jobs-tables.ts';

/** Describes the ledger to Kysely; the migrations are what makes it. Times are `Date`s, ids bare UUIDs. */
export interface Ledger {
  tenants: TenantsTable;
  api_keys: ApiKeysTable;
  token_buckets: TokenBucketsTable;
  queues: QueuesTable;
  builds: BuildsTable;
  build_types: BuildTypesTable;
  job_type_rules: JobTypeRulesTable;
  workers: WorkersTable;
  jobs: JobsTable;
  ready: ReadyTable;
  blocked: BlockedTable;
  due: DueTable;
  in_flight: InFlightTable;
  attempts: AttemptsTable;
  payload_revisions: PayloadRevisionsTable;
  breakers: BreakersTable;
  current_jobs: CurrentJobsView;
  idempotency_keys: IdempotencyKeysTable;
  dead_letters: DeadLettersTable;
  audit_log: AuditLogTable;
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
  /** Of the workers' time it gets so many times what a tenant of weight 1 gets, while both wait. */
  weight: Generated<number>;
  paused_at: Generated<Date | null>;
  /** How many of its jobs may be in flight, over all queues; `null`: any number. */
  concurrency: Generated<number | null>;
  /** How many live jobs it may have, over all queues but that of webhook deliveries; `null`: any number. */
  max_backlog: Generated<number | null>;
  /** How many jobs it may submit, a second and a day; `null`: any number. */
  rate_per_second: Generated<number | null>;
  burst: Generated<number | null>;
  daily_quota: Generated<number | null>;
  created_at: CreatedAt;
}

interface ApiKeysTable {
  id: string;
  tenant_id: string;
  name: string;
  secret_hash: Buffer;
  scopes: string[];
  /** How many jobs may be submitted with it a second; `null`: any number. */
  rate_per_second: Generated<number | null>;
  burst: Generated<number | null>;
  created_at: CreatedAt;
  revoked_at: Date | null;
}

/** What API processes are lent tokens of: one for what a tenant or a key may submit a second, or a tenant on a day. */
interface TokenBucketsTable {
  name: string;
  tokens: number;
  capacity: number;
  per_second: number;
  /** By the last loan. */
  lent: number;
  filled_at: Date;
}

interface QueuesTable {
  name: string;
  /** Counts the turns of the queue's dispatchers; a bigint comes as text. */
  dispatch_round: Generated<string>;
  /** The pass that newcomers begin at (`core/fairness/fair-order.ts`). */
  present_pass: Generated<number>;
  paused_at: Generated<Date | null>;
  /** How many of its jobs may be in flight; `null`: any number. */
  concurrency: Generated<number | null>;
  /** How many live jobs it may have, and of one tenant; `null`: any number. */
  max_backlog: Generated<number | null>;
  max_backlog_per_tenant: Generated<number | null>;
  /** How many of its jobs are started a second; `null`: any number. */
  rate_per_second: Generated<number | null>;
  /** How many of its jobs could be started a second when its dispatcher told so last. */
  drain_per_second: Generated<number | null>;
  drain_told_at: Generated<Date | null>;
  /** The types that its dispatcher held down when it told so last (`ledger/limits/adaptive-limits.ts`). */
  adaptive_limits: Generated<unknown>;
  adaptive_limits_told_at: Generated<Date | null>;
  created_at: CreatedAt;
}

/** A circuit breaker that is not closed (`core/outbound/circuit.ts`), by a hash of whose it is, and of what. */
interface BreakersTable {
  id: string;
  tenant_id: string;
  type: string;
  target: string;
  error_code: string;
  openings: Generated<number>;
  opened_at: CreatedAt;
  open_until: Date;
  /** Until then somebody tries whether it may be closed. */
  tried_until: Date | null;
}

/** What an operator has laid down for a job type. */
interface JobTypeRulesTable {
  type: string;
  paused_at: Generated<Date | null>;
  /** How many of its jobs may be in flight, and are started a second, over all queues; `null`: any number. */
  concurrency: Generated<number | null>;
  rate_per_second: Generated<number | null>;
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
  /** Jobs of one queue that it can run at once, and of which queues it is another number. */
  concurrency: number;
  slots_by_queue: ColumnType<Record<string, number>, string | undefined, string>;
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
  /** The types of which handlers that it runs hung then. */
  slow_types: Generated<string[]>;
  /** How long its handlers usually took then, by job type, and how late its event loop was. */
  handler_ms: ColumnType<Record<string, number>, string | undefined, string>;
  loop_late_ms: Generated<number>;
  /** Since when it takes no jobs, or a few, as it is far slower than others. */
  slow_since: Date | null;
  draining_at: Date | null;
  lost_at: Date | null;
  /** How many jobs ran in this worker when its lease was ended. */
  running_when_lost: number | null;
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

export type DeadLetterRow = Selectable<DeadLettersTable>;
export type BulkReplayRow = Selectable<BulkReplaysTable>;
export type AuditRow = Selectable<AuditLogTable>;
export type ApiKeyRow = Selectable<ApiKeysTable>;
export type NewDeadLetterRow = Insertable<DeadLettersTable>;
