import { sql } from 'kysely';
import { type JobStatus, TERMINAL_STATUSES } from '../job/status.ts';
import { asTenant } from './as-tenant.ts';
import type { Database } from './connect.ts';
import { listed } from './status-condition.ts';
import type { AttemptRow, JobRow, RecordedError } from './tables.ts';

/** Finds a job of this tenant; another tenant's job is as if it were not there. */
export function findJob(db: Database, tenantId: string, jobId: string): Promise<JobRow | undefined> {
  return asTenant(db, tenantId, (tx) =>
    tx
      .selectFrom('jobs')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('id', '=', jobId)
      .executeTakeFirst(),
  );
}

/** Finds a job of this tenant with its payload also as the JSON text that was accepted. */
export async function findJobToCopy(
  db: Database,
  tenantId: string,
  jobId: string,
): Promise<{ row: JobRow; payloadJson: string } | undefined> {
  const found = await asTenant(db, tenantId, (tx) =>
    tx
      .selectFrom('jobs')
      .selectAll()
      .select(sql<string>`payload::text`.as('payloadJson'))
      .where('tenant_id', '=', tenantId)
      .where('id', '=', jobId)
      .executeTakeFirst(),
  );
  if (!found) return undefined;
  const { payloadJson, ...row } = found;
  return { row, payloadJson };
}

/** A finished job's result as the JSON text it was recorded as, and what is needed to say why there is none. */
export interface JobResult {
  status: JobStatus;
  queue: string;
  run_at: Date;
  version: number;
  error: RecordedError | null;
  resultJson: string | null;
}

/** Finds the result of a job of this tenant without parsing it. */
export function findJobResult(db: Database, tenantId: string, jobId: string): Promise<JobResult | undefined> {
  return asTenant(db, tenantId, (tx) =>
    tx
      .selectFrom('jobs')
      .select([
        'status',
        'queue',
        'run_at',
        'version',
        'error',
        sql<string | null>`result::text`.as('resultJson'),
      ])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', jobId)
      .executeTakeFirst(),
  );
}

export interface JobFilter {
  status?: JobStatus;
  type?: string;
  queue?: string;
  tag?: string;
  createdAfter?: Date;
  createdBefore?: Date;
}

export type JobListRow = Omit<JobRow, 'payload' | 'result' | 'build_id' | 'refused_by'>;

/** Lists a tenant's jobs, newest first, from the one after `afterId` on; payloads and results stay in the database. */
export function listJobs(
  db: Database,
  tenantId: string,
  filter: JobFilter,
  page: { afterId?: string; limit: number },
): Promise<JobListRow[]> {
  return asTenant(db, tenantId, (tx) => selectJobs(tx, tenantId, filter, page).execute());
}

function selectJobs(
  tx: Database,
  tenantId: string,
  filter: JobFilter,
  page: { afterId?: string; limit: number },
) {
  let query = tx
    .selectFrom('jobs')
    .select(LIST_COLUMNS)
    .where('tenant_id', '=', tenantId)
    .orderBy('id', 'desc')
    .limit(page.limit);
  if (page.afterId) query = query.where('id', '<', page.afterId);
  if (filter.status) query = query.where('status', '=', filter.status);
  if (filter.type) query = query.where('type', '=', filter.type);
  if (filter.queue) query = query.where('queue', '=', filter.queue);
  if (filter.tag) query = query.where(sql<boolean>`tags ? ${filter.tag}`);
  if (filter.createdAfter) query = query.where('created_at', '>', filter.createdAfter);
  if (filter.createdBefore) query = query.where('created_at', '<', filter.createdBefore);
  return query;
}

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

/** Lists the ended attempts of a job of this tenant, the first one first. */
export function listAttempts(db: Database, tenantId: string, jobId: string): Promise<AttemptRow[]> {
  return asTenant(db, tenantId, (tx) =>
    tx.selectFrom('attempts').selectAll().where('job_id', '=', jobId).orderBy('attempt').execute(),
  );
}

/** Picks out of many jobs those that are finished. */
export async function finishedAmong(db: Database, jobIds: string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM jobs
    WHERE id = ANY(${jobIds}::uuid[]) AND status IN ${listed(TERMINAL_STATUSES)}`.execute(db);
  return rows.map((row) => row.id);
}
