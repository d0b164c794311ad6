import { sql } from 'kysely';
import { type JobStatus, TERMINAL_STATUSES } from '../../core/job/status.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { AttemptRow, RecordedError } from '../connection/tables.ts';
import { type JobListRow, LIST_COLUMNS, SHOWN_COLUMNS, type ShownJob } from './shown-job.ts';
import { listed } from './status-condition.ts';

/** Finds a job of this tenant; another tenant's job is as if it were not there. */
export function findJob(db: Database, tenantId: string, jobId: string): Promise<ShownJob | undefined> {
  return asTenant(db, tenantId, (tx) =>
    tx
      .selectFrom('jobs')
      .select(SHOWN_COLUMNS)
      .where('tenant_id', '=', tenantId)
      .where('id', '=', jobId)
      .executeTakeFirst(),
  );
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
