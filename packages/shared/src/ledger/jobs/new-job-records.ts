import { type RawBuilder, sql } from 'kysely';
import { isUsual } from '../../core/job/backoff.ts';
import type { NewJob } from '../../core/job/new-job.ts';
import { given } from '../connection/prepared.ts';

/** Text within text: a megabyte of backslashes takes 26 ms to be written so. What comes alone goes beside. */
const isAlone = (jobs: NewJob[]) => jobs.length === 1;

/**
 * Builds the relation `batch` of the jobs to be written. A whole batch is one parameter of JSON, so that the text of the
 * statement is the same for every size of batch; an array a column costs more to write, and to read for the server.
 */
export function jobRecords<Given>(jobsOf: (given: Given) => NewJob[]): RawBuilder<unknown> {
  const payload = given((batch: Given) => {
    const jobs = jobsOf(batch);
    return isAlone(jobs) ? jobs[0]?.payloadJson : null;
  });
  const records = given((batch: Given) => {
    const jobs = jobsOf(batch);
    const isPayloadBeside = isAlone(jobs);
    return JSON.stringify(jobs.map((job) => jobRecord(job, isPayloadBeside ? null : job.payloadJson)));
  });
  return sql`(
    SELECT given.*, coalesce(given_payload, ${payload}::text) AS payload
    FROM ${recordset(records, JOB_COLUMNS, 'given')}) AS batch`;
}

/** Builds the relation `batch` of the idempotency keys of jobs; those of a job without a key are NULL. */
export function keyRecords<Given>(jobsOf: (given: Given) => NewJob[]): RawBuilder<unknown> {
  const records = given((batch: Given) => JSON.stringify(jobsOf(batch).map(keyRecord)));
  return recordset(records, KEY_COLUMNS, 'batch');
}

function recordset(
  records: RawBuilder<unknown>,
  columns: RawBuilder<unknown>,
  name: string,
): RawBuilder<unknown> {
  return sql`json_to_recordset(${records}::json) AS ${sql.raw(name)} (${columns})`;
}

/** What is undefined becomes NULL. The payload goes as text within the text, so that it is stored as it was given. */
function jobRecord(job: NewJob, givenPayload: string | null) {
  return {
    id: job.id,
    tenant_id: job.tenantId,
    type: job.type,
    queue: job.queue,
    priority: job.priority,
    given_payload: givenPayload,
    refused_by: job.refusedBy,
    max_attempts: job.maxAttempts,
    backoff: isUsual(job.backoff) ? undefined : job.backoff,
    timeout_ms: job.timeoutMs,
    run_at: job.runAt,
    delay_ms: job.delayMs,
    ttl_ms: job.ttlMs,
    concurrency_key: job.concurrencyKey,
    concurrency_limit: job.concurrencyLimit,
    tags: job.tags,
    metadata: job.metadata,
    webhook: job.webhook,
    copy_of: job.copyOf,
    request_id: job.requestId,
    request_id_given: job.isRequestIdGiven ?? false,
    traceparent: job.traceparent,
    tracestate: job.tracestate,
    keyed: job.idempotency !== undefined,
  };
}

const JOB_COLUMNS = columnsOf<typeof jobRecord>({
  id: 'uuid',
  tenant_id: 'uuid',
  type: 'text',
  queue: 'text',
  priority: 'smallint',
  given_payload: 'text',
  refused_by: 'text[]',
  max_attempts: 'integer',
  backoff: 'jsonb',
  timeout_ms: 'integer',
  run_at: 'timestamptz',
  delay_ms: 'float8',
  ttl_ms: 'float8',
  concurrency_key: 'text',
  concurrency_limit: 'integer',
  tags: 'jsonb',
  metadata: 'jsonb',
  webhook: 'jsonb',
  copy_of: 'uuid',
  request_id: 'text',
  request_id_given: 'boolean',
  traceparent: 'text',
  tracestate: 'text',
  keyed: 'boolean',
});

function keyRecord({ id, tenantId, idempotency }: NewJob) {
  return {
    job_id: id,
    tenant_id: tenantId,
    route: idempotency?.route,
    key: idempotency?.key,
    fingerprint: idempotency && `\\x${idempotency.fingerprint.toString('hex')}`,
    status: idempotency?.status,
  };
}

const KEY_COLUMNS = columnsOf<typeof keyRecord>({
  job_id: 'uuid',
  tenant_id: 'uuid',
  route: 'text',
  key: 'text',
  fingerprint: 'bytea',
  status: 'smallint',
});

/** Names the PostgreSQL type of each field of a record. */
function columnsOf<MakeRecord extends (job: NewJob, givenPayload: string | null) => object>(
  types: Record<keyof ReturnType<MakeRecord>, string>,
): RawBuilder<unknown> {
  return sql.raw(
    Object.entries(types)
      .map(([name, type]) => `${name} ${type}`)
      .join(', '),
  );
}
