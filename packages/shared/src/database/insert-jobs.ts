import { sql } from 'kysely';
import type { NewJob } from '../job/new-job.ts';
import { TERMINAL_STATUSES } from '../job/status.ts';
import type { Database } from './connect.ts';
import type { JobRow } from './tables.ts';
import { type BatchColumn, unnestBatch } from './unnest.ts';

/** An idempotency key is kept this long, and never shorter than its job is unfinished. */
const IDEMPOTENCY_KEY_TTL_HOURS = 24;

/** Tells what became of one submitted job. */
export type InsertedJob =
  | { kind: 'created'; row: JobRow }
  | { kind: 'replayed'; row: JobRow }
  | { kind: 'keyReused' };

/**
 * Writes jobs and their idempotency keys in one statement: after a crash either all of them are there or none.
 *
 * Results come in the order of `jobs`. Running it twice with the same ids writes once. A job whose key is already
 * taken is not written: it answers with the job of that key, or `keyReused` when the fingerprints differ. When
 * another transaction is just writing the same key, this waits for it to commit.
 */
export async function insertJobs(db: Database, jobs: NewJob[]): Promise<InsertedJob[]> {
  const created = await insertNewOnes(db, firstOfEachKey(jobs));
  const rest = jobs.filter((job) => !created.has(job.id));
  const earlier = rest.length > 0 ? await findEarlierJobs(db, rest) : new Map<string, InsertedJob>();
  return jobs.map((job) => {
    const row = created.get(job.id);
    if (row) return { kind: 'created', row };
    const found = earlier.get(job.id);
    if (found) return found;
    throw new Error(`Job ${job.id} was neither written nor found.`);
  });
}

/** Two equal keys in one statement would conflict with each other, so only the first of them takes part. */
function firstOfEachKey(jobs: NewJob[]): NewJob[] {
  const seen = new Set<string>();
  return jobs.filter(({ tenantId, idempotency }) => {
    if (!idempotency) return true;
    const identity = JSON.stringify([tenantId, idempotency.route, idempotency.key]);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

type WrittenColumns = Pick<JobRow, 'id' | 'status' | 'run_at' | 'expires_at' | 'created_at'>;

async function insertNewOnes(db: Database, jobs: NewJob[]): Promise<Map<string, JobRow>> {
  const { rows } = jobs.some((job) => job.idempotency)
    ? await insertWithKeys(jobs).execute(db)
    : await insertSelected(sql`SELECT * FROM ${unnestBatch('i', JOB_COLUMNS, jobs)}`).execute(db);
  const written = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    jobs.flatMap((job) => {
      const row = written.get(job.id);
      return row ? [[job.id, toRow(job, row)]] : [];
    }),
  );
}

/**
 * Takes the keys first, in a fixed order so that two batches cannot deadlock, and writes the jobs whose key was
 * free. An expired key is free once its job is finished.
 */
function insertWithKeys(jobs: NewJob[]) {
  const withKey = jobs.filter((job) => job.idempotency);
  return sql<WrittenColumns>`
    WITH taken AS (
      INSERT INTO idempotency_keys AS k (tenant_id, route, key, fingerprint, job_id, expires_at)
      SELECT tenant_id, route, key, fingerprint, job_id, now() + make_interval(hours => ${IDEMPOTENCY_KEY_TTL_HOURS})
      FROM ${unnestBatch('i', KEY_COLUMNS, withKey)}
      ORDER BY tenant_id, route, key
      ON CONFLICT (tenant_id, route, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, job_id = excluded.job_id, expires_at = excluded.expires_at
        WHERE k.expires_at < now() AND NOT EXISTS (
          SELECT FROM jobs WHERE id = k.job_id AND status NOT IN (${sql.join([...TERMINAL_STATUSES])}))
      RETURNING job_id
    )
    ${insertSelected(sql`
      SELECT * FROM ${unnestBatch('i', JOB_COLUMNS, jobs)}
      WHERE NOT keyed OR id IN (SELECT job_id FROM taken)`)}`;
}

function insertSelected(selected: ReturnType<typeof sql>) {
  return sql<WrittenColumns>`
    INSERT INTO jobs (id, tenant_id, type, queue, priority, payload, max_attempts, backoff, timeout_ms,
      concurrency_key, concurrency_limit, tags, metadata, webhook, copy_of, request_id, traceparent, tracestate,
      status, run_at, expires_at)
    SELECT id, tenant_id, type, queue, priority, payload, max_attempts, backoff, timeout_ms,
      concurrency_key, concurrency_limit, tags, metadata, webhook, copy_of, request_id, traceparent, tracestate,
      CASE WHEN coalesce(run_at, now() + delay_ms * interval '1 ms') > now() THEN 'scheduled' ELSE 'queued' END,
      coalesce(run_at, now() + delay_ms * interval '1 ms', now()),
      now() + ttl_ms * interval '1 ms'
    FROM (${selected}) AS selected
    ON CONFLICT (id) DO NOTHING
    RETURNING id, status, run_at, expires_at, created_at`;
}

const JOB_COLUMNS: BatchColumn<NewJob>[] = [
  { name: 'id', type: 'uuid', value: (job) => job.id },
  { name: 'tenant_id', type: 'uuid', value: (job) => job.tenantId },
  { name: 'type', type: 'text', value: (job) => job.type },
  { name: 'queue', type: 'text', value: (job) => job.queue },
  { name: 'priority', type: 'smallint', value: (job) => job.priority },
  { name: 'payload', type: 'json', value: (job) => job.payloadJson },
  { name: 'max_attempts', type: 'integer', value: (job) => job.maxAttempts },
  { name: 'backoff', type: 'jsonb', value: (job) => JSON.stringify(job.backoff) },
  { name: 'timeout_ms', type: 'integer', value: (job) => job.timeoutMs },
  { name: 'run_at', type: 'timestamptz', value: (job) => job.runAt?.toISOString() },
  { name: 'delay_ms', type: 'float8', value: (job) => job.delayMs },
  { name: 'ttl_ms', type: 'float8', value: (job) => job.ttlMs },
  { name: 'concurrency_key', type: 'text', value: (job) => job.concurrencyKey },
  { name: 'concurrency_limit', type: 'integer', value: (job) => job.concurrencyLimit },
  { name: 'tags', type: 'jsonb', value: (job) => JSON.stringify(job.tags) },
  { name: 'metadata', type: 'jsonb', value: (job) => JSON.stringify(job.metadata) },
  { name: 'webhook', type: 'jsonb', value: (job) => job.webhook && JSON.stringify(job.webhook) },
  { name: 'copy_of', type: 'uuid', value: (job) => job.copyOf },
  { name: 'request_id', type: 'text', value: (job) => job.requestId },
  { name: 'traceparent', type: 'text', value: (job) => job.traceparent },
  { name: 'tracestate', type: 'text', value: (job) => job.tracestate },
  { name: 'keyed', type: 'boolean', value: (job) => job.idempotency !== undefined },
];

const KEY_COLUMNS: BatchColumn<NewJob>[] = [
  { name: 'tenant_id', type: 'uuid', value: (job) => job.tenantId },
  { name: 'route', type: 'text', value: (job) => job.idempotency?.route },
  { name: 'key', type: 'text', value: (job) => job.idempotency?.key },
  { name: 'fingerprint', type: 'bytea', value: (job) => job.idempotency?.fingerprint },
  { name: 'job_id', type: 'uuid', value: (job) => job.id },
];

/** Puts together the row as it was just written, without sending the payload back over the wire. */
function toRow(job: NewJob, written: WrittenColumns): JobRow {
  return {
    ...written,
    tenant_id: job.tenantId,
    type: job.type,
    queue: job.queue,
    priority: job.priority,
    payload: JSON.parse(job.payloadJson),
    result: null,
    error: null,
    progress: null,
    attempt: 0,
    attempts_made: 0,
    max_attempts: job.maxAttempts,
    replay_round: 0,
    backoff: job.backoff,
    timeout_ms: job.timeoutMs,
    dispatch_no: 0,
    dispatched_at: null,
    worker_id: null,
    concurrency_key: job.concurrencyKey ?? null,
    concurrency_limit: job.concurrencyLimit ?? null,
    tags: job.tags,
    metadata: job.metadata,
    webhook: job.webhook ?? null,
    copy_of: job.copyOf ?? null,
    dead_letter_id: null,
    request_id: job.requestId ?? null,
    traceparent: job.traceparent ?? null,
    tracestate: job.tracestate ?? null,
    version: 1,
    started_at: null,
    finished_at: null,
    cancel_requested_at: null,
  };
}

/** Finds, for jobs that were not written just now, the job that holds their key, or themselves from an earlier run. */
async function findEarlierJobs(db: Database, jobs: NewJob[]): Promise<Map<string, InsertedJob>> {
  const { rows: holders } = await sql<{ id: string; fingerprint: Buffer | null; job_id: string }>`
    SELECT i.id, k.fingerprint, coalesce(k.job_id, i.id) AS job_id
    FROM ${unnestBatch('i', LOOKUP_COLUMNS, jobs)}
    LEFT JOIN idempotency_keys k USING (tenant_id, route, key)`.execute(db);
  const holderOf = new Map(holders.map((holder) => [holder.id, holder]));
  const rows = await db
    .selectFrom('jobs')
    .selectAll()
    .where(
      'id',
      'in',
      holders.map((holder) => holder.job_id),
    )
    .execute();
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    jobs.flatMap((job): [string, InsertedJob][] => {
      const holder = holderOf.get(job.id);
      const row = holder && rowOf.get(holder.job_id);
      if (!row) return [];
      if (row.id === job.id) return [[job.id, { kind: 'created', row }]];
      const same = job.idempotency && holder.fingerprint?.equals(job.idempotency.fingerprint);
      return [[job.id, same ? { kind: 'replayed', row } : { kind: 'keyReused' }]];
    }),
  );
}

const LOOKUP_COLUMNS: BatchColumn<NewJob>[] = [
  { name: 'id', type: 'uuid', value: (job) => job.id },
  ...KEY_COLUMNS.filter((column) => column.name !== 'job_id' && column.name !== 'fingerprint'),
];
