import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { JobStatus } from '../../core/job/status.ts';
import { firstUuidOf, uuidsMadeBetween, uuidTimeMs } from '../../core/job/week.ts';
import { DELIVERY_TYPE } from '../../core/webhook/event.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { type JobKey, jobsOf } from './job-key.ts';
import type { AttemptOutcome, AttemptRow } from './jobs-tables.ts';
import { isLive } from './live-condition.ts';
import { type JobListRow, LISTED, SHOWN, type ShownJob } from './shown-job.ts';

/** Finds a job of this tenant; another tenant's job is as if it were not there. */
export function findJob(db: Database, tenantId: string, jobId: string): Promise<ShownJob | undefined> {
  return findOne<ShownJob>(
    db,
    tenantId,
    sql`/* find-job */ SELECT ${SHOWN} FROM current_jobs WHERE tenant_id = ${tenantId} AND id = ${jobId}`,
  );
}

/** Asks with a statement that has a name and names the job by its key, so that its plan can be kept. */
function findOne<Row>(
  db: Database,
  tenantId: string,
  statement: RawBuilder<unknown>,
): Promise<Row | undefined> {
  const find = async (tx: Transaction<Ledger>) => (await (statement as RawBuilder<Row>).execute(tx)).rows[0];
  return asTenant(db, tenantId, find, { keepsPlans: true, isOneRead: true });
}

/** A finished job's result as the JSON text it was recorded as, and what is needed to say why there is none. */
export type JobResult = Pick<ShownJob, (typeof RESULT_COLUMNS)[number] | 'resultJson'>;

/** Of one that is not there yet it is foreseen when it will be. */
const RESULT_COLUMNS = [
  'id',
  'tenant_id',
  'queue',
  'type',
  'priority',
  'status',
  'attempt',
  'concurrency_key',
  'run_at',
  'dispatched_at',
  'started_at',
  'finished_at',
  'version',
  'error',
] as const;

/** Finds the result of a job of this tenant without parsing it. */
export function findJobResult(db: Database, tenantId: string, jobId: string): Promise<JobResult | undefined> {
  return findOne<JobResult>(
    db,
    tenantId,
    sql`/* find-job-result */ SELECT ${sql.join(RESULT_COLUMNS.map((column) => sql.ref(column)))}, result::text AS "resultJson"
      FROM current_jobs WHERE tenant_id = ${tenantId} AND id = ${jobId}`,
  );
}

export interface JobFilter {
  status?: JobStatus;
  type?: string;
  queue?: string;
  tag?: string;
  /** The id of the request that made them. */
  requestId?: string;
  /** The one that they were submitted with. */
  concurrencyKey?: string;
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
  return asTenant(
    db,
    tenantId,
    async (tx) => {
      const { rows: found } = await selectPage(tenantId, filter, page).execute(tx);
      if (found.length === 0) return [];
      const { rows } = await sql<JobListRow>`
      /* show-listed-jobs */ SELECT ${LISTED} FROM ${jobsOf(found.map(({ id }) => ({ tenantId, id })))}
      ORDER BY id DESC`.execute(tx);
      return rows;
    },
    { isOneSnapshot: true },
  );
}

/**
 * The page is found first, by an index for the filter; only its jobs are put together. Which of the tables is walked is for
 * the planner to say: it carries an `=` over to the others, and no `<`, so that stands with each.
 */
function selectPage(tenantId: string, filter: JobFilter, page: { afterId?: string; limit: number }) {
  const { status, tag, createdAfter, createdBefore } = filter;
  const { from, before } = uuidsMadeBetween(createdAfter, createdBefore);
  const bounds = [page.afterId, before].filter((bound) => bound !== undefined);
  const isAfter = (id: RawBuilder<unknown>) =>
    sql`${from === undefined ? sql`` : sql`AND ${id} >= ${from}`}
      ${sql.join(
        bounds.map((bound) => sql`AND ${id} < ${bound}`),
        sql` `,
      )}`;
  const isOf = (table: string) => sql`${sql.ref(`${table}.tenant_id`)} = jobs.tenant_id
    AND ${sql.ref(`${table}.job_id`)} = jobs.id ${isAfter(sql.ref(`${table}.job_id`))}`;
  const inStatus =
    status === undefined ? sql`` : sql`JOIN ${jobsOfStatus(tenantId, status)} AS placed ON ${isOf('placed')}`;
  const tagged =
    tag === undefined ? sql`` : sql`JOIN job_tags ON ${isOf('job_tags')} AND job_tags.tag = ${tag}`;
  return sql<{ id: string }>`
    SELECT jobs.id FROM jobs ${inStatus} ${tagged}
    WHERE jobs.tenant_id = ${tenantId} ${isAfter(sql`jobs.id`)} ${conditionsOf(filter)}
    ORDER BY jobs.id DESC LIMIT ${page.limit}`;
}

/** Where the jobs of a status are: in the table that says so, or among the newest ends of those that live nowhere. */
function jobsOfStatus(tenantId: string, status: JobStatus): RawBuilder<unknown> {
  const live: Partial<Record<JobStatus, RawBuilder<unknown>>> = {
    queued: sql`(SELECT tenant_id, job_id FROM ready UNION ALL SELECT tenant_id, job_id FROM blocked UNION ALL
      SELECT tenant_id, job_id FROM in_flight WHERE worker_id IS NULL)`,
    running: sql`(SELECT tenant_id, job_id FROM in_flight WHERE worker_id IS NOT NULL)`,
    scheduled: sql`(SELECT tenant_id, job_id FROM due WHERE status = 'scheduled')`,
    retrying: sql`(SELECT tenant_id, job_id FROM due WHERE status = 'retrying')`,
  };
  const ended = sql`(
    SELECT tenant_id, job_id FROM attempts WHERE tenant_id = ${tenantId} AND status = ${sql.lit(status)}
      AND NOT ${isLive(sql`attempts.tenant_id`, sql`attempts.job_id`)} AND NOT EXISTS (
        SELECT FROM attempts AS later WHERE later.tenant_id = attempts.tenant_id AND later.job_id = attempts.job_id
          AND later.version > attempts.version))`;
  return live[status] ?? ended;
}

/** Mean one index of `jobs` each (`migrations/0017_lifecycle.ts`): they hold for every row. */
const BY_TYPE = sql`CASE WHEN jobs.max_attempts > 0 THEN true ELSE false END`;
const BY_QUEUE = sql`CASE WHEN jobs.timeout_ms > 0 THEN true ELSE false END`;

function conditionsOf(filter: JobFilter): RawBuilder<unknown> {
  const conditions = [
    ...(filter.type === undefined ? [] : [sql`jobs.type = ${filter.type} AND ${BY_TYPE}`]),
    ...(filter.queue === undefined ? [] : [sql`jobs.queue = ${filter.queue} AND ${BY_QUEUE}`]),
    ...(filter.requestId === undefined ? [] : [madeByRequest(filter.requestId)]),
    ...(filter.concurrencyKey === undefined ? [] : [sql`jobs.concurrency_key = ${filter.concurrencyKey}`]),
    ...(filter.createdAfter ? [sql`jobs.created_at > ${filter.createdAfter}`] : []),
    ...(filter.createdBefore ? [sql`jobs.created_at < ${filter.createdBefore}`] : []),
  ];
  return sql.join(
    conditions.map((condition) => sql`AND ${condition}`),
    sql` `,
  );
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** How long after its request began a job may be made: longer than a body may take. */
const LONGEST_REQUEST_MS = 10 * 60_000;

/** Request ids that clients gave have an index. One that we made up is that of jobs which were made soon after it. */
function madeByRequest(requestId: string): RawBuilder<unknown> {
  const isIt = sql`jobs.request_id = ${requestId}`;
  if (!UUID_V7.test(requestId)) return sql`jobs.request_id_given AND ${isIt}`;
  const madeMs = uuidTimeMs(requestId);
  const [first, last] = [firstUuidOf(madeMs), firstUuidOf(madeMs + LONGEST_REQUEST_MS)];
  return sql`((jobs.request_id_given AND ${isIt}) OR (jobs.id >= ${first} AND jobs.id < ${last}
    AND jobs.type <> ${DELIVERY_TYPE} AND ${isIt}))`;
}

/** An attempt that ended. */
export type EndedAttemptRow = AttemptRow & { outcome: AttemptOutcome; started_at: Date };

/** Lists the ended attempts of a job of this tenant, the first one first. */
export function listAttempts(db: Database, tenantId: string, jobId: string): Promise<EndedAttemptRow[]> {
  return asTenant(
    db,
    tenantId,
    (tx) =>
      tx
        .selectFrom('attempts')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('job_id', '=', jobId)
        .where('outcome', 'is not', null)
        .orderBy('version')
        .$narrowType<{ outcome: AttemptOutcome; started_at: Date }>()
        .execute(),
    { keepsPlans: true },
  );
}

/** Picks out of many jobs those that are finished. */
export async function finishedAmong(db: Database, keys: JobKey[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM unnest(${keys.map(({ tenantId }) => tenantId)}::uuid[], ${keys.map(({ id }) => id)}::uuid[])
      AS asked (tenant_id, id)
    WHERE NOT ${isLive(sql`asked.tenant_id`, sql`asked.id`)}`.execute(db);
  return rows.map((row) => row.id);
}
