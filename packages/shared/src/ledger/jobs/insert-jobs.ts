import { type RawBuilder, sql } from 'kysely';
import pg from 'pg';
import { publicId } from '../../core/job/id.ts';
import type { NewJob } from '../../core/job/new-job.ts';
import type { Database } from '../connection/connect.ts';
import { CHANNELS } from '../connection/notifications.ts';
import { given, prepared } from '../connection/prepared.ts';
import { tellBacklog } from '../limits/backlogs.ts';
import { CARRIED, carriedFrom } from './hot-rows.ts';
import { KEY_TTL_HOURS } from './idempotency-keys.ts';
import { jobsOf } from './job-key.ts';
import { isLive } from './live-condition.ts';
import { jobRecords, keyRecords } from './new-job-records.ts';
import { newJobRow } from './new-job-row.ts';
import { SHOWN, type ShownJob } from './shown-job.ts';

/** Tells what became of one submitted job. `status` is that of the first answer, `null` while nobody was answered. */
export type InsertedJob =
  | { kind: 'created'; row: ShownJob }
  | { kind: 'replayed'; row: ShownJob; status: number | null }
  | { kind: 'keyReused' };

/**
 * Writes jobs and their idempotency keys in one statement: after a crash either all of them are there or none.
 *
 * Results come in the order of `jobs`. Running it twice with the same ids writes once. A job whose key is already
 * taken is not written: it answers with the job of that key, or `keyReused` when the fingerprints differ. When
 * another transaction is just writing the same key, this waits for it to commit.
 *
 * With `tellsOfWork` the commit notifies of the queues that have work now, which costs no round trip, and commits that notify wait
 * for each other: for jobs that come alone.
 */
export async function insertJobs(
  db: Database,
  jobs: NewJob[],
  { tellsOfWork = false }: { tellsOfWork?: boolean } = {},
): Promise<InsertedJob[]> {
  try {
    return await insertOnce(db, jobs, tellsOfWork);
  } catch (error) {
    if (!isWrittenAlready(error)) throw error;
    const earlier = await findEarlierJobs(db, jobs);
    const rest = jobs.filter(({ id }) => !earlier.has(id));
    if (rest.length === jobs.length) throw error;
    const inserted = await insertJobs(db, rest, { tellsOfWork });
    const insertedOf = new Map(rest.map(({ id }, index) => [id, inserted[index]]));
    return jobs.flatMap(({ id }) => earlier.get(id) ?? insertedOf.get(id) ?? []);
  }
}

/**
 * That a job is there already is an error, and not passed over by the statement: only whoever lost the answer to an earlier
 * try comes with the same ids, and to be ready for it costs every job a record in the log.
 */
function isWrittenAlready(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === UNIQUE_VIOLATION &&
    /^jobs_.*_pkey$/.test(error.constraint ?? '')
  );
}

const UNIQUE_VIOLATION = '23505';

async function insertOnce(db: Database, jobs: NewJob[], tellsOfWork: boolean): Promise<InsertedJob[]> {
  const { ids, writtenAt } = await insertNewOnes(db, { jobs: firstOfEachKey(jobs), tellsOfWork });
  const rest = jobs.filter((job) => !ids.has(job.id));
  const earlier = rest.length > 0 ? await findEarlierJobs(db, rest) : new Map<string, InsertedJob>();
  return jobs.map((job) => {
    if (ids.has(job.id)) return { kind: 'created', row: newJobRow(job, writtenAt) };
    const found = earlier.get(job.id);
    if (found) return found;
    throw new Error(`Job ${publicId('job', job.id)} was neither written nor found.`);
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

/** What the ledger alone knows of a batch. `ids` are `null` when all of it was written. */
interface Written {
  writtenAt: Date;
  ids: string[] | null;
}

interface Batch {
  jobs: NewJob[];
  tellsOfWork: boolean;
}

async function insertNewOnes(db: Database, batch: Batch): Promise<{ writtenAt: Date; ids: Set<string> }> {
  const { jobs } = batch;
  const insert = jobs.some(isKeyed) ? insertWithKeys : insertWithoutKeys;
  const [written] = await insert(db, batch);
  const { writtenAt, ids } = written as Written;
  return { writtenAt, ids: new Set(ids ?? jobs.map(({ id }) => id)) };
}

const isKeyed = ({ idempotency }: NewJob) => idempotency !== undefined;
const jobsOfBatch = ({ jobs }: Batch) => jobs;

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

const insertWithoutKeys = prepared<Batch, Written>(
  () => sql`/* insert-jobs */ WITH ${insertSelected(sql`SELECT * FROM ${jobRecords(jobsOfBatch)}`)}`,
);

/**
 * Takes the keys first, in a fixed order so that two batches cannot deadlock, and writes the jobs whose key was
 * free. An expired key is free once its job is finished.
 */
const insertWithKeys = prepared<Batch, Written>(
  () => sql`/* insert-keyed-jobs */
    WITH taken AS (
      INSERT INTO idempotency_keys AS k (tenant_id, route, key, fingerprint, job_id, status, expires_at)
      SELECT tenant_id, route, key, fingerprint, job_id, status, now() + make_interval(hours => ${KEY_TTL_HOURS})
      FROM ${keyRecords(({ jobs }: Batch) => jobs.filter(isKeyed))}
      ORDER BY tenant_id, route, key
      ON CONFLICT (tenant_id, route, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, job_id = excluded.job_id, status = excluded.status,
          expires_at = excluded.expires_at
        WHERE k.expires_at < now() AND NOT ${isLive(sql`k.tenant_id`, sql`k.job_id`)}
      RETURNING job_id
    ),
    ${insertSelected(sql`
      SELECT * FROM ${jobRecords(jobsOfBatch)}
      WHERE NOT keyed OR id IN (SELECT job_id FROM taken)`)}`,
);

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
        SELECT DISTINCT queue FROM asked WHERE run_at <= now() AND ${given(({ tellsOfWork }: Batch) => tellsOfWork)}::boolean) AS working)
    FROM asked`;
}

interface Holder {
  id: string;
  tenant_id: string;
  fingerprint: Buffer | null;
  status: number | null;
  job_id: string;
}

const findHolders = prepared<NewJob[], Holder>(
  () => sql`
  SELECT batch.job_id AS id, batch.tenant_id, k.fingerprint, k.status, coalesce(k.job_id, batch.job_id) AS job_id
  FROM ${keyRecords((jobs: NewJob[]) => jobs)}
  LEFT JOIN idempotency_keys k USING (tenant_id, route, key)`,
);

/** Finds, for jobs that were not written just now, the job that holds their key, or themselves from an earlier run. */
async function findEarlierJobs(db: Database, jobs: NewJob[]): Promise<Map<string, InsertedJob>> {
  const holders = await findHolders(db, jobs);
  const holderOf = new Map(holders.map((holder) => [holder.id, holder]));
  const keys = holders.map((holder) => ({ tenantId: holder.tenant_id, id: holder.job_id }));
  const { rows } = await sql<ShownJob>`/* read-earlier-jobs */ SELECT ${SHOWN} FROM ${jobsOf(keys)}`.execute(
    db,
  );
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    jobs.flatMap((job): [string, InsertedJob][] => {
      const holder = holderOf.get(job.id);
      const row = holder && rowOf.get(holder.job_id);
      if (!row) return [];
      if (row.id === job.id) return [[job.id, { kind: 'created', row }]];
      const same = job.idempotency && holder.fingerprint?.equals(job.idempotency.fingerprint);
      return [[job.id, same ? { kind: 'replayed', row, status: holder.status } : { kind: 'keyReused' }]];
    }),
  );
}
