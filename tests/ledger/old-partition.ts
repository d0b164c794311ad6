import { type JobStatus, TERMINAL_STATUSES } from '@accepted/shared/core/job/status';
import { firstUuidOf, WEEK_MS, weekStart } from '@accepted/shared/core/job/week';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import {
  listPartitions,
  PARTITIONED,
  type Partition,
  partitionTables,
} from '@accepted/shared/ledger/retention/partitions';
import { makeJob } from '@accepted/testing/factories';
import { dispatchOne, makeDue } from '@accepted/testing/move-jobs';
import { type RawBuilder, sql } from 'kysely';

export const RETENTION_DAYS = 30;

/** Puts a partition for a week that is over since long in the place of the one that takes all old ids. */
export async function makeOldPartition(db: Database): Promise<Partition> {
  const fromMs = weekStart(Date.now()) - 10 * WEEK_MS;
  const untilMs = fromMs + WEEK_MS;
  await dropPartitions(db);
  await makePartition(db, 'old', { fromMs, untilMs });
  return { ...partitionTables('old'), fromMs, untilMs };
}

/** Makes a partition for whatever was made from `fromMs` on and before `untilMs`. */
export async function makePartition(
  db: Database,
  suffix: string,
  { fromMs, untilMs }: { fromMs: number; untilMs: number },
): Promise<void> {
  for (const table of Object.keys(PARTITIONED))
    await sql`CREATE TABLE ${sql.table(`${table}_${suffix}`)} PARTITION OF ${sql.table(table)}
      FOR VALUES FROM (${sql.lit(firstUuidOf(fromMs))}) TO (${sql.lit(firstUuidOf(untilMs))})`.execute(db);
}

/** Leaves the default partition alone. */
export async function dropPartitions(db: Database): Promise<void> {
  for (const { jobs, attempts, job_tags } of await listPartitions(db))
    await sql`DROP TABLE ${sql.join([jobs, attempts, job_tags].map((name) => sql.table(name)))}`.execute(db);
}

/** Makes the id that a job got which was made so long after the partition begins. */
export function oldId({ fromMs }: Partition, afterMs = 0): string {
  const random = crypto.randomUUID().slice(15);
  return `${firstUuidOf(fromMs + afterMs).slice(0, 14)}7${random}`;
}

/** What is to be different about a job that succeeded 40 days ago at its only attempt. `dispatched` is queued, in flight. */
export interface OldJob {
  status?: JobStatus | 'dispatched';
  finishedAt?: RawBuilder<unknown>;
  tenantId?: string;
}

/** Writes a job with tags and one attempt. */
export async function writeJob(db: Database, id: string, asked: OldJob = {}): Promise<void> {
  const { status = 'succeeded', tenantId = crypto.randomUUID() } = asked;
  await insertJobs(db, [makeJob({ id, tenantId, tags: ['old', 'test'] })]);
  const isEnd = (TERMINAL_STATUSES as readonly string[]).includes(status);
  await sql`INSERT INTO attempts (tenant_id, job_id, run_at, started_at, finished_at, version, attempt, attempts_made,
      replay_round, dispatch_no, revision, losses, suspect, status, outcome)
    SELECT tenant_id, job_id, run_at, now(), ${asked.finishedAt ?? sql`now() - interval '40 days'`}, 2, 1, 1, 0, 1, 0, 0,
      false, ${isEnd ? status : 'queued'}, ${isEnd ? 'succeeded' : 'released'}
    FROM ready WHERE job_id = ${id}`.execute(db);
  if (isEnd) await sql`DELETE FROM ready WHERE job_id = ${id}`.execute(db);
  await sql`UPDATE ready SET version = 2, attempt = 1 WHERE job_id = ${id}`.execute(db);
  await sql`UPDATE jobs SET created_at = now() - interval '50 days' WHERE id = ${id}`.execute(db);
  if (status === 'running' || status === 'dispatched') await dispatchOne(db, id);
  if (status === 'running')
    await sql`UPDATE in_flight SET worker_id = ${crypto.randomUUID()} WHERE job_id = ${id}`.execute(db);
  if (status === 'scheduled' || status === 'retrying') await makeDue(db, sql`job_id = ${id}`, status);
}

/** Writes so many jobs that wait, whose ids differ from `firstId` in the end alone. */
export async function writeManyWaiting(db: Database, firstId: string, count: number): Promise<void> {
  const jobs = Array.from({ length: count }, (_, number) =>
    makeJob({
      id: number === 0 ? firstId : `${firstId.slice(0, 24)}${number.toString(16).padStart(12, '0')}`,
      delayMs: 3_600_000,
    }),
  );
  for (let written = 0; written < count; written += 1_000)
    await insertJobs(db, jobs.slice(written, written + 1_000));
}

/** Writes a dead letter of the job: open, unless `columns` say otherwise. */
export async function writeDeadLetter(
  db: Database,
  jobId: string,
  columns: { resolution?: 'replayed' | 'discarded'; resolvedDaysAgo?: number } = {},
): Promise<string> {
  const id = crypto.randomUUID();
  await sql`INSERT INTO dead_letters (id, job_id, tenant_id, queue, type, reason, error, fingerprint, attempt,
      attempts_made, versions, resolution, resolved_at)
    VALUES (${id}, ${jobId}, coalesce((SELECT tenant_id FROM jobs WHERE id = ${jobId}), gen_random_uuid()), 'default', 'test', 'poison', '{}', '', 1, 1, '{}',
      ${columns.resolution ?? null}, now() - ${columns.resolvedDaysAgo ?? null}::float8 * interval '1 day')`.execute(
    db,
  );
  return id;
}
