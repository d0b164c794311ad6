import { firstUuidOf, WEEK_MS, weekStart } from '@accepted/shared/core/job/week';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { listPartitions, type Partition } from '@accepted/shared/ledger/retention/partitions';
import { sql } from 'kysely';

export const RETENTION_DAYS = 30;

/** Puts a partition for a week that is over since long in the place of the one that takes all old ids. */
export async function makeOldPartition(db: Database): Promise<Partition> {
  const fromMs = weekStart(Date.now()) - 10 * WEEK_MS;
  const untilMs = fromMs + WEEK_MS;
  await dropPartitions(db);
  for (const table of ['jobs', 'attempts'])
    await sql`CREATE TABLE ${sql.table(`${table}_old`)} PARTITION OF ${sql.table(table)}
      FOR VALUES FROM (${sql.lit(firstUuidOf(fromMs))}) TO (${sql.lit(firstUuidOf(untilMs))})`.execute(db);
  return { jobs: 'jobs_old', attempts: 'attempts_old', fromMs, untilMs };
}

/** Leaves the default partition alone. */
export async function dropPartitions(db: Database): Promise<void> {
  for (const { jobs, attempts } of await listPartitions(db))
    await sql`DROP TABLE ${sql.table(jobs)}, ${sql.table(attempts)}`.execute(db);
}

/** Makes the id that a job got which was made so long after the partition begins. */
export function oldId({ fromMs }: Partition, afterMs = 0): string {
  const random = crypto.randomUUID().slice(15);
  return `${firstUuidOf(fromMs + afterMs).slice(0, 14)}7${random}`;
}

/** Writes a finished job with one attempt; `columns` has what is different about it. */
export async function writeJob(
  db: Database,
  id: string,
  columns: Record<string, unknown> = {},
): Promise<void> {
  const finished = { status: 'succeeded', finished_at: sql`now() - interval '40 days'`, attempt: 1 };
  const job = { ...BASE, id, tenant_id: crypto.randomUUID(), ...finished, ...columns };
  await db
    .insertInto('jobs')
    .values(job as never)
    .execute();
  await sql`INSERT INTO attempts (job_id, attempt, replay_round, outcome, started_at)
    VALUES (${id}, 1, 0, 'succeeded', now())`.execute(db);
}

const BASE = {
  type: 'test.noop',
  queue: 'default',
  priority: 2,
  payload: '{}',
  max_attempts: 3,
  backoff: '{}',
  timeout_ms: 1_000,
  run_at: sql`now()`,
  tags: '[]',
  metadata: '{}',
};

/** Writes so many jobs that wait, whose ids differ from `firstId` in the end alone. */
export async function writeManyWaiting(db: Database, firstId: string, count: number): Promise<void> {
  await writeJob(db, firstId, { status: 'scheduled', finished_at: null });
  await sql`INSERT INTO jobs (id, tenant_id, type, queue, status, priority, payload, max_attempts, backoff, timeout_ms,
      run_at, tags, metadata)
    SELECT overlay(id::text PLACING lpad(to_hex(number), 12, '0') FROM 25)::uuid, tenant_id, type, queue, status,
      priority, payload, max_attempts, backoff, timeout_ms, run_at, tags, metadata
    FROM jobs, generate_series(1, ${count - 1}) AS number`.execute(db);
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
    VALUES (${id}, ${jobId}, ${crypto.randomUUID()}, 'default', 'test', 'poison', '{}', '', 1, 1, '{}',
      ${columns.resolution ?? null}, now() - ${columns.resolvedDaysAgo ?? null}::float8 * interval '1 day')`.execute(
    db,
  );
  return id;
}
