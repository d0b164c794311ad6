import { sql } from 'kysely';
import pg from 'pg';
import { publicId } from '../../core/job/id.ts';
import type { NewJob } from '../../core/job/new-job.ts';
import type { FullBound } from '../../core/overload/backlog-gauge.ts';
import type { Database } from '../connection/connect.ts';
import { prepared } from '../connection/prepared.ts';
import { countBacklogs } from '../limits/backlogs.ts';
import {
  type BoundedBatch,
  insertNewJobs,
  insertNewJobsWithinBounds,
  type WrittenBatch,
} from './insert-new-jobs.ts';
import { jobsOf } from './job-key.ts';
import { keyRecords } from './new-job-records.ts';
import { newJobRow } from './new-job-row.ts';
import { SHOWN, type ShownJob } from './shown-job.ts';

/** Tells what became of one submitted job. `status` is that of the first answer, `null` while nobody was answered. */
export type InsertedJob =
  | { kind: 'created'; row: ShownJob }
  | { kind: 'replayed'; row: ShownJob; status: number | null }
  | { kind: 'keyReused' };

/** A job that was not written: so many are there already, and no more may be. */
export interface JobBeyondBound extends FullBound {
  kind: 'full';
}

export interface InsertOptions {
  /**
   * Has the commit notify of the queues that have work now, which costs no round trip. Commits that notify wait for each other: for jobs
   * that come alone.
   */
  tellsOfWork?: boolean;
}

/**
 * Writes jobs and their idempotency keys in one statement: after a crash either all of them are there or none.
 *
 * Results come in the order of `jobs`. Running it twice with the same ids writes once. A job whose key is already
 * taken is not written: it answers with the job of that key, or `keyReused` when the fingerprints differ. When
 * another transaction is just writing the same key, this waits for it to commit.
 */
export function insertJobs(
  db: Database,
  jobs: NewJob[],
  { tellsOfWork = false }: InsertOptions = {},
): Promise<InsertedJob[]> {
  return insertMissing(db, jobs, async (missing) => {
    const batch = { jobs: [...new Set(firstOfSameKey(missing))], tellsOfWork };
    return await answerAll(db, missing, await insertNewJobs(db, batch));
  });
}

/**
 * The same where there may be no room: the live jobs are counted again in the statement that writes, under locks of the names `bounds`, so that
 * all who write under one of them together let no more in than may be. A job that was there already takes room too, in its batch.
 */
export function insertJobsWithinBounds(
  db: Database,
  jobs: NewJob[],
  { tellsOfWork = false, bounds }: InsertOptions & { bounds: readonly string[] },
): Promise<(InsertedJob | JobBeyondBound)[]> {
  return insertMissing(db, jobs, async (missing) => {
    const firsts = firstOfSameKey(missing);
    const batch = { jobs: [...new Set(firsts)], tellsOfWork, bounds };
    const { fullOf, ...written } = await insertCounted(db, batch);
    const full = firsts.map(({ id }) => fullOf.get(id));
    const others = await answerAll(
      db,
      missing.filter((_, place) => !full[place]),
      written,
    );
    return full.flatMap((refused) => refused ?? others.shift() ?? []);
  });
}

/** Writes what was not written by an earlier run whose answer was lost. */
async function insertMissing<Inserted>(
  db: Database,
  jobs: NewJob[],
  insert: (missing: NewJob[]) => Promise<Inserted[]>,
): Promise<(InsertedJob | Inserted)[]> {
  try {
    return await insert(jobs);
  } catch (error) {
    if (!isWrittenAlready(error)) throw error;
    const earlier = await findEarlierJobs(db, jobs);
    const rest = jobs.filter(({ id }) => !earlier.has(id));
    if (rest.length === jobs.length) throw error;
    const inserted = await insertMissing(db, rest, insert);
    const insertedOf = new Map(rest.map(({ id }, index) => [id, inserted[index]]));
    return jobs.flatMap(({ id }) => earlier.get(id) ?? insertedOf.get(id) ?? []);
  }
}

/** Where nobody has counted since that was lost, all is counted first. */
async function insertCounted(
  db: Database,
  batch: BoundedBatch,
): Promise<WrittenBatch & { fullOf: Map<string, JobBeyondBound> }> {
  const { withoutRoom, ...written } = await insertNewJobsWithinBounds(db, batch);
  const fullOf = new Map<string, JobBeyondBound>();
  for (const { id, bound, jobs, most } of withoutRoom) {
    if (bound === 'unknown') {
      await countBacklogs(db, { ifLost: true });
      return await insertCounted(db, batch);
    }
    fullOf.set(id, { kind: 'full', bound, jobs, most });
  }
  return { ...written, fullOf };
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

/** Says of each job what became of it; one that was not written just now was there before, or has a key that was. */
async function answerAll(
  db: Database,
  jobs: NewJob[],
  { ids, writtenAt }: WrittenBatch,
): Promise<InsertedJob[]> {
  const rest = jobs.filter((job) => !ids.has(job.id));
  const earlier = rest.length > 0 ? await findEarlierJobs(db, rest) : new Map<string, InsertedJob>();
  return jobs.map((job) => {
    if (ids.has(job.id)) return { kind: 'created', row: newJobRow(job, writtenAt) };
    const found = earlier.get(job.id);
    if (found) return found;
    throw new Error(`Job ${publicId('job', job.id)} was neither written nor found.`);
  });
}

/** Two equal keys in one statement would conflict with each other: answers for each job the first that has its key, which alone takes part. */
function firstOfSameKey(jobs: NewJob[]): NewJob[] {
  const firsts = new Map<string, NewJob>();
  return jobs.map((job) => {
    if (!job.idempotency) return job;
    const identity = JSON.stringify([job.tenantId, job.idempotency.route, job.idempotency.key]);
    const first = firsts.get(identity) ?? job;
    firsts.set(identity, first);
    return first;
  });
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
