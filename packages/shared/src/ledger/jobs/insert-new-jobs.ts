import { type RawBuilder, sql } from 'kysely';
import type { NewJob } from '../../core/job/new-job.ts';
import type { FullBacklog } from '../../core/overload/backlog-gauge.ts';
import type { Database } from '../connection/connect.ts';
import { CHANNELS } from '../connection/notifications.ts';
import { given, prepared } from '../connection/prepared.ts';
import { tellBacklog } from '../limits/backlogs.ts';
import { CARRIED, carriedFrom } from './hot-rows.ts';
import { KEY_TTL_HOURS } from './idempotency-keys.ts';
import { isLive } from './live-condition.ts';
import { jobRecords, keyRecords } from './new-job-records.ts';

/** No two jobs of it have the same idempotency key. */
export interface Batch {
  jobs: NewJob[];
  /** Whether the commit notifies of the queues that have work now. */
  tellsOfWork: boolean;
}

/** Of jobs that may not fit. */
export interface BoundedBatch extends Batch {
  /** The names of the bounds that are near: whoever writes under one of them waits for those who do before. */
  bounds: readonly string[];
}

/** A job that was not written, as there was no room; `unknown`: the live jobs have not been counted since that was lost. */
export interface JobWithoutRoom {
  id: string;
  bound: FullBacklog | 'unknown';
  jobs: number;
  most: number;
}

export interface WrittenBatch {
  writtenAt: Date;
  ids: Set<string>;
}

/** What the ledger alone knows of a batch. `ids` are `null` when all of it was written. */
interface Written {
  writtenAt: Date;
  ids: string[] | null;
}

interface WrittenWithinBounds extends Written {
  without_room: JobWithoutRoom[];
}

/** Writes all jobs whose idempotency keys are free. */
export async function insertNewJobs(db: Database, batch: Batch): Promise<WrittenBatch> {
  const [written] = await (hasKeys(batch) ? insertKeyed : insertKeyless)(db, batch);
  return writtenOf(batch, written);
}

/** The same, but for those that there is no room for within their bounds, which are counted again. */
export async function insertNewJobsWithinBounds(
  db: Database,
  batch: BoundedBatch,
): Promise<WrittenBatch & { withoutRoom: JobWithoutRoom[] }> {
  const insert = hasKeys(batch) ? insertKeyedWithinBounds : insertKeylessWithinBounds;
  const [written] = await insert(db, batch);
  return { ...writtenOf(batch, written), withoutRoom: written?.without_room ?? [] };
}

function writtenOf({ jobs }: Batch, written: Written | undefined): WrittenBatch {
  if (!written) throw new Error('Jobs were written, and no row was answered.');
  return { writtenAt: written.writtenAt, ids: new Set(written.ids ?? jobs.map(({ id }) => id)) };
}

const isKeyed = ({ idempotency }: NewJob) => idempotency !== undefined;
const hasKeys = ({ jobs }: Batch) => jobs.some(isKeyed);
const jobsOf = ({ jobs }: Batch) => jobs;
const keyedOf = ({ jobs }: Batch) => jobs.filter(isKeyed);

const NEW_HOT_ROW = carriedFrom('asked', {
  version: sql`1`,
  attempt: sql`0`,
  attempts_made: sql`0`,
  replay_round: sql`0`,
  dispatch_no: sql`0`,
  revision: sql`0`,
  losses: sql`0`,
  suspect: sql`false`,
});

const insertKeyless = prepared<Batch, Written>(
  () => sql`/* insert-jobs */ WITH ${insertSelected(sql`SELECT * FROM ${jobRecords(jobsOf)}`)} FROM asked`,
);

const insertKeyed = prepared<Batch, Written>(
  () => sql`/* insert-keyed-jobs */
    WITH ${takeKeys(sql`true`)}, ${insertSelected(sql`
      SELECT * FROM ${jobRecords(jobsOf)}
      WHERE NOT keyed OR id IN (SELECT job_id FROM taken)`)} FROM asked`,
);

/** Of the jobs that there is no room for nothing is written, the key neither. */
const HAS_ROOM = sql`NOT EXISTS (SELECT FROM without_room WHERE without_room.job_id = batch.id)`;
const KEY_HAS_ROOM = sql`NOT EXISTS (SELECT FROM without_room WHERE without_room.job_id = batch.job_id)`;
const TELL_WHO_HAS_NONE = sql`, (SELECT coalesce(json_agg(json_build_object(
  'id', job_id, 'bound', bound, 'jobs', jobs, 'most', most)), '[]') FROM without_room) AS without_room FROM asked`;

const insertKeylessWithinBounds = prepared<BoundedBatch, WrittenWithinBounds>(
  () => sql`/* insert-jobs-within-bounds */
    WITH ${findWithoutRoom()}, ${insertSelected(sql`
      SELECT * FROM ${jobRecords(jobsOf)} WHERE ${HAS_ROOM}`)} ${TELL_WHO_HAS_NONE}`,
);

const insertKeyedWithinBounds = prepared<BoundedBatch, WrittenWithinBounds>(
  () => sql`/* insert-keyed-jobs-within-bounds */
    WITH ${findWithoutRoom()}, ${takeKeys(KEY_HAS_ROOM)}, ${insertSelected(sql`
      SELECT * FROM ${jobRecords(jobsOf)}
      WHERE ${HAS_ROOM} AND (NOT keyed OR id IN (SELECT job_id FROM taken))`)} ${TELL_WHO_HAS_NONE}`,
);

/**
 * Counts after those who wrote under the same bounds before have committed (`jobs_without_room`). The locks are given back by the commit of this
 * very statement, so nobody waits for a process that hangs.
 */
function findWithoutRoom(): RawBuilder<unknown> {
  const column = (of: (job: NewJob) => string) => given(({ jobs }: BoundedBatch) => jobs.map(of));
  return sql`without_room AS MATERIALIZED (
    SELECT * FROM jobs_without_room(${given(({ bounds }: BoundedBatch) => bounds.toSorted())}::text[],
      ${column(({ id }) => id)}::uuid[], ${column(({ tenantId }) => tenantId)}::uuid[], ${column(({ queue }) => queue)}::text[]))`;
}

/**
 * Takes the keys first, in a fixed order so that two batches cannot deadlock, to write the jobs whose key was free. An expired key is
 * free once its job is finished.
 */
function takeKeys(condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`taken AS (
    INSERT INTO idempotency_keys AS k (tenant_id, route, key, fingerprint, job_id, status, expires_at)
    SELECT tenant_id, route, key, fingerprint, job_id, status, now() + make_interval(hours => ${KEY_TTL_HOURS})
    FROM ${keyRecords(keyedOf)}
    WHERE ${condition}
    ORDER BY tenant_id, route, key
    ON CONFLICT (tenant_id, route, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, job_id = excluded.job_id, status = excluded.status,
        expires_at = excluded.expires_at
      WHERE k.expires_at < now() AND NOT ${isLive(sql`k.tenant_id`, sql`k.job_id`)}
    RETURNING job_id
  )`;
}

/** What is due at once is ready; `now()` is the same moment all through the transaction. */
function insertSelected(selected: RawBuilder<unknown>) {
  return sql`
    asked AS (
      INSERT INTO jobs (id, tenant_id, type, queue, priority, payload, refused_by, max_attempts, backoff, timeout_ms,
        concurrency_key, concurrency_limit, tags, metadata, webhook, copy_of, request_id, request_id_given, traceparent,
        tracestate, run_at, expires_at)
      SELECT id, tenant_id, type, queue, priority, payload::json, coalesce(refused_by, '{}'), max_attempts, backoff, timeout_ms,
        concurrency_key, concurrency_limit, tags, metadata, webhook, copy_of, request_id, request_id_given, traceparent,
        tracestate, coalesce(run_at, now() + delay_ms * interval '1 ms', now()), now() + ttl_ms * interval '1 ms'
      FROM (${selected}) AS selected
      RETURNING tenant_id, id AS job_id, run_at, expires_at, concurrency_limit, priority, webhook IS NOT NULL AS has_followers,
        queue, type, concurrency_key, traceparent, refused_by
    ),
    made_ready AS (
      INSERT INTO ready (${CARRIED}) SELECT ${NEW_HOT_ROW} FROM asked WHERE run_at <= now()
    ),
    made_due AS (
      INSERT INTO due (${CARRIED}, status) SELECT ${NEW_HOT_ROW}, 'scheduled' FROM asked WHERE run_at > now()
    ),
    counted AS (${tellBacklog(sql`asked`, 1)})
    SELECT now() AS "writtenAt",
      CASE WHEN count(*) < ${given(({ jobs }: Batch) => jobs.length)} THEN coalesce(array_agg(job_id), '{}') END AS ids,
      ARRAY(SELECT pg_notify(${CHANNELS.queueHasWork}, queue)::text FROM (
        SELECT DISTINCT queue FROM asked WHERE run_at <= now() AND ${given(({ tellsOfWork }: Batch) => tellsOfWork)}::boolean) AS working)`;
}
