import { type Kysely, sql } from 'kysely';

/**
 * Creates the ledger: every fact about a job that anybody is told is a row here first.
 *
 * Nothing references `jobs` by foreign key, so that retention can drop jobs in bulk. The statuses are those of
 * the transition table in `packages/shared/src/core/job/status.ts`; priorities run from 0 (critical) to 3 (low).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `CREATE TABLE tenants (
     id uuid PRIMARY KEY,
     name text NOT NULL UNIQUE,
     webhook_secret text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now()
   )`,
  `CREATE TABLE api_keys (
     id uuid PRIMARY KEY,
     tenant_id uuid NOT NULL REFERENCES tenants (id),
     name text NOT NULL,
     secret_hash bytea NOT NULL,
     scopes text[] NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     revoked_at timestamptz
   )`,
  `CREATE TABLE queues (
     name text PRIMARY KEY,
     created_at timestamptz NOT NULL DEFAULT now()
   )`,
  `CREATE TABLE job_types (
     type text PRIMARY KEY,
     queue text NOT NULL REFERENCES queues (name),
     payload_schema jsonb NOT NULL,
     result_schema jsonb,
     defaults jsonb NOT NULL,
     registered_at timestamptz NOT NULL DEFAULT now()
   )`,
  `CREATE TABLE workers (
     id uuid PRIMARY KEY,
     hostname text NOT NULL,
     pid integer NOT NULL,
     queues text[] NOT NULL,
     concurrency integer NOT NULL,
     finished_per_second jsonb NOT NULL DEFAULT '{}',
     started_at timestamptz NOT NULL DEFAULT now(),
     heartbeat_at timestamptz NOT NULL DEFAULT now(),
     draining_at timestamptz,
     lost_at timestamptz
   )`,
  `CREATE TABLE jobs (
     id uuid PRIMARY KEY,
     tenant_id uuid NOT NULL,
     type text NOT NULL,
     queue text NOT NULL,
     status text NOT NULL CHECK (status IN
       ('scheduled', 'queued', 'running', 'retrying', 'succeeded', 'failed', 'canceled', 'expired')),
     priority smallint NOT NULL,
     payload json NOT NULL,
     result json,
     error json,
     progress json,
     attempt integer NOT NULL DEFAULT 0,
     attempts_made integer NOT NULL DEFAULT 0,
     max_attempts integer NOT NULL,
     replay_round integer NOT NULL DEFAULT 0,
     backoff jsonb NOT NULL,
     timeout_ms integer NOT NULL,
     dispatch_no integer NOT NULL DEFAULT 0,
     dispatched_at timestamptz,
     worker_id uuid,
     run_at timestamptz NOT NULL,
     expires_at timestamptz,
     concurrency_key text,
     concurrency_limit integer,
     tags jsonb NOT NULL,
     metadata jsonb NOT NULL,
     webhook jsonb,
     copy_of uuid,
     dead_letter_id uuid,
     request_id text,
     traceparent text,
     tracestate text,
     version integer NOT NULL DEFAULT 1,
     created_at timestamptz NOT NULL DEFAULT now(),
     started_at timestamptz,
     finished_at timestamptz,
     cancel_requested_at timestamptz
   ) WITH (fillfactor = 80)`,
  `CREATE INDEX jobs_by_tenant ON jobs (tenant_id, id DESC)`,
  `CREATE INDEX jobs_ready ON jobs (queue, tenant_id, priority, id)
     WHERE status = 'queued' AND dispatched_at IS NULL`,
  `CREATE INDEX jobs_dispatched ON jobs (queue, dispatched_at)
     WHERE status = 'queued' AND dispatched_at IS NOT NULL`,
  `CREATE INDEX jobs_running ON jobs (queue, worker_id) WHERE status = 'running'`,
  `CREATE INDEX jobs_due ON jobs (run_at) WHERE status IN ('scheduled', 'retrying')`,
  `CREATE INDEX jobs_expiring ON jobs (expires_at)
     WHERE expires_at IS NOT NULL AND status IN ('scheduled', 'queued', 'retrying')`,
  `CREATE TABLE idempotency_keys (
     tenant_id uuid NOT NULL,
     route text NOT NULL,
     key text NOT NULL,
     fingerprint bytea NOT NULL,
     job_id uuid NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     expires_at timestamptz NOT NULL,
     PRIMARY KEY (tenant_id, route, key)
   )`,
  `CREATE INDEX idempotency_keys_expiring ON idempotency_keys (expires_at)`,
  `CREATE TABLE attempts (
     job_id uuid NOT NULL,
     attempt integer NOT NULL,
     replay_round integer NOT NULL,
     worker_id uuid,
     outcome text NOT NULL,
     error json,
     started_at timestamptz NOT NULL,
     finished_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, attempt)
   )`,
  `CREATE TABLE dead_letters (
     id uuid PRIMARY KEY,
     job_id uuid NOT NULL,
     tenant_id uuid NOT NULL,
     queue text NOT NULL,
     type text NOT NULL,
     reason text NOT NULL,
     error json NOT NULL,
     fingerprint text NOT NULL,
     attempt integer NOT NULL,
     attempts_made integer NOT NULL,
     worker_id uuid,
     versions jsonb NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     mirrored_at timestamptz,
     resolution text CHECK (resolution IN ('replayed', 'discarded')),
     resolved_at timestamptz
   )`,
  `CREATE INDEX dead_letters_to_mirror ON dead_letters (queue, id)
     WHERE (resolution IS NULL) = (mirrored_at IS NULL)`,
  `CREATE INDEX dead_letters_open ON dead_letters (queue, id) WHERE resolution IS NULL`,
  `CREATE INDEX dead_letters_by_tenant ON dead_letters (tenant_id, id DESC)`,
  `CREATE TABLE audit_log (
     id uuid PRIMARY KEY,
     tenant_id uuid,
     actor text NOT NULL,
     action text NOT NULL,
     target text NOT NULL,
     detail jsonb NOT NULL DEFAULT '{}',
     created_at timestamptz NOT NULL DEFAULT now()
   )`,
];
