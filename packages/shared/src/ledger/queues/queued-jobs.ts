import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from '../jobs/hot-rows.ts';
import { type JobKey, jobsOf } from '../jobs/job-key.ts';
import { type JobListRow, LISTED } from '../jobs/shown-job.ts';

/** A job for people to look at; in a list a long payload is cut off. */
export type QueuedJob = JobListRow & { payloadText: string; isCut: boolean };

const MOST_PAYLOAD = 2_000;

/** Where jobs of a queue are: due, or on their way to a worker; running; not due yet. */
export type QueuedState = 'waiting' | 'active' | 'delayed';

/**
 * Lists live jobs of a queue, over all tenants: what waits in no order that could be told, what is not due by its time. For people
 * who look at a page or two; further in it costs what it steps over.
 */
export async function listQueuedJobs(
  db: Database,
  queue: string,
  state: QueuedState,
  page: { offset: number; limit: number },
): Promise<QueuedJob[]> {
  const { rows: keys } = await sql<JobKey>`
    SELECT tenant_id AS "tenantId", job_id AS id FROM (${PLACES[state](queue)}) AS job
    LIMIT ${page.limit} OFFSET ${page.offset}`.execute(db);
  if (keys.length === 0) return [];
  const { rows } = await sql<QueuedJob>`
    SELECT ${LISTED}, left(payload::text, ${sql.lit(MOST_PAYLOAD)}) AS "payloadText",
      length(payload::text) > ${sql.lit(MOST_PAYLOAD)} AS "isCut"
    FROM ${jobsOf(keys)}`.execute(db);
  return rows;
}

const PLACES: Record<QueuedState, (queue: string) => RawBuilder<unknown>> = {
  waiting: (queue) => sql`
    SELECT tenant_id, job_id FROM in_flight WHERE queue = ${queue} AND ${OF_QUEUE} AND worker_id IS NULL
    UNION ALL SELECT tenant_id, job_id FROM ready WHERE queue = ${queue} AND ${IN_ORDER}
    UNION ALL SELECT tenant_id, job_id FROM blocked WHERE queue = ${queue} AND ${IN_ORDER}`,
  active: (queue) => sql`
    SELECT tenant_id, job_id FROM in_flight WHERE queue = ${queue} AND ${OF_QUEUE} AND worker_id IS NOT NULL`,
  delayed: (queue) => sql`
    SELECT tenant_id, job_id FROM due WHERE queue = ${queue} AND ${OF_QUEUE} ORDER BY run_at`,
};

/** Finds a job of any tenant, with its whole payload: a look into one index for each tenant. */
export async function findJobOfAnybody(db: Database, id: string): Promise<QueuedJob | undefined> {
  const { rows: keys } = await sql<JobKey>`
    SELECT tenants.id AS "tenantId", jobs.id FROM tenants CROSS JOIN LATERAL (
      SELECT id FROM jobs WHERE tenant_id = tenants.id AND jobs.id = ${id} OFFSET 0) AS jobs`.execute(db);
  if (keys.length === 0) return undefined;
  const { rows } = await sql<QueuedJob>`
    SELECT ${LISTED}, payload::text AS "payloadText", false AS "isCut" FROM ${jobsOf(keys)}`.execute(db);
  return rows[0];
}
