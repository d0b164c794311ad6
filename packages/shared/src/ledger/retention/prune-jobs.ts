import { type RawBuilder, sql } from 'kysely';
import { JOB_STATUSES, TERMINAL_STATUSES } from '../../core/job/status.ts';
import { firstUuidOf } from '../../core/job/week.ts';
import type { Database } from '../connection/connect.ts';
import { listed } from '../jobs/status-condition.ts';
import {
  changePartitions,
  DEFAULT_PARTITION,
  listPartitions,
  lockJobs,
  MAX_MOVED,
  type Partition,
} from './partitions.ts';

/** What became of a partition: `live` jobs were kept, in the default partition; or so many that it was left as it is. */
export type PrunedPartition =
  | { kind: 'dropped'; partition: string; live: number; bytes: number }
  | { kind: 'left'; partition: string; moreLiveThan: number };

/** Lists the partitions whose jobs were all made before the retention, by the clock of Postgres. */
export async function listOldPartitions(db: Database, retentionDays: number): Promise<Partition[]> {
  const { rows } = await sql<{ ms: number }>`
    SELECT (extract(epoch FROM ${retained(retentionDays)}) * 1000)::float8 AS ms`.execute(db);
  const retainedFromMs = rows[0]?.ms ?? 0;
  return (await listPartitions(db)).filter(({ untilMs }) => untilMs <= retainedFromMs);
}

/**
 * Drops a partition with its jobs and their attempts, but for those that are live: not finished, finished within the
 * retention, or with an open dead letter. These move to the default partition in the same transaction, so everybody
 * sees them all the time. Answers `undefined` when somebody else is at it.
 *
 * Everybody waits while it happens, so what it does there is bounded by the live jobs and not by the finished ones. Who
 * finished late is searched for before, and under the lock only among those who finished meanwhile.
 */
export async function prunePartition(
  db: Database,
  partition: Partition,
  retentionDays: number,
): Promise<PrunedPartition | undefined> {
  const late = await changePartitions(db, async (tx) => {
    if (!(await isThere(tx, partition))) return undefined;
    await summarizeFinished(tx, partition);
    return await collectLate(tx, partition, retentionDays);
  });
  if (!late) return undefined;
  return changePartitions(db, async (tx) => {
    if (!(await isThere(tx, partition))) return undefined;
    const left = { kind: 'left', partition: partition.jobs, moreLiveThan: MAX_MOVED } as const;
    if ((await collectLive(tx, partition, late)).length > MAX_MOVED) return left;
    await lockJobs(tx);
    const live = await collectLive(tx, partition, late);
    if (live.length > MAX_MOVED) return left;
    const bytes = await sizeOf(tx, partition);
    const moved = await detachAndKeep(tx, partition, live);
    await sql`DROP TABLE ${sql.table(partition.jobs)}, ${sql.table(partition.attempts)}`.execute(tx);
    return { kind: 'dropped', partition: partition.jobs, live: moved, bytes };
  });
}

/** Reads the part of the BRIN index that autovacuum has not made yet; without it the whole table would be read. */
async function summarizeFinished(tx: Database, { jobs }: Partition): Promise<void> {
  await sql`
    SELECT brin_summarize_new_values(indexrelid) FROM pg_index
    JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE indrelid = to_regclass(${jobs}) AND amname = 'brin'`.execute(tx);
}

/** Somebody else may have dropped it since the partitions were listed. */
async function isThere(tx: Database, { jobs }: Partition): Promise<boolean> {
  const { rows } = await sql<{
    isThere: boolean;
  }>`SELECT to_regclass(${jobs}) IS NOT NULL AS "isThere"`.execute(tx);
  return rows[0]?.isThere ?? false;
}

/** Jobs that finished within the retention, and the moment from which on others may have joined them. */
interface LateFinishers {
  ids: string[];
  /** As Postgres writes it. */
  since: string;
}

/** `finished_at` is when a transaction began, and it may have been under way when we looked. */
const LONGEST_TRANSACTION = sql.lit('1 minute');

/** A BRIN index knows ranges of pages: one late finisher in each, and this reads the whole partition. */
async function collectLate(tx: Database, { jobs }: Partition, retentionDays: number): Promise<LateFinishers> {
  const { rows: times } = await sql<{ since: string }>`
    SELECT (now() - ${LONGEST_TRANSACTION}::interval)::text AS since`.execute(tx);
  const finishedLate = selectIds(jobs, sql`finished_at > ${retained(retentionDays)}`);
  const { rows } = await sql<{ id: string }>`${finishedLate}`.execute(tx);
  return { ids: rows.map(({ id }) => id), since: times[0]?.since ?? '-infinity' };
}

/**
 * Answers the ids of a partition's live jobs, and of more than `MAX_MOVED` when there are more. Every part of it is an
 * index scan: the small indexes of unfinished jobs, the BRIN index of those that finished just now, and the dead
 * letters of the partition's jobs.
 */
async function collectLive(tx: Database, partition: Partition, late: LateFinishers): Promise<string[]> {
  const { jobs, fromMs, untilMs } = partition;
  const ofPartition = [...UNFINISHED, sql`finished_at > ${late.since}::timestamptz`].map((condition) =>
    selectIds(jobs, condition),
  );
  const ofDeadLetters = sql`(
    SELECT DISTINCT job_id FROM dead_letters WHERE resolution IS NULL
      AND job_id >= ${firstUuidOf(fromMs)} AND job_id < ${firstUuidOf(untilMs)} LIMIT ${MAX_MOVED + 1})`;
  const parts = sql.join([...ofPartition, ofDeadLetters], sql` UNION ALL `);
  const { rows } = await sql<{ id: string }>`${parts}`.execute(tx);
  return [...new Set([...late.ids, ...rows.map(({ id }) => id)])];
}

/**
 * Selects more than `MAX_MOVED` ids at most. The planner is not told so: who expects to stop early may walk the primary
 * key, and when there are few ids that is all of it.
 */
function selectIds(partition: string, condition: RawBuilder<unknown>) {
  return sql`(
    WITH found AS MATERIALIZED (SELECT id FROM ${sql.table(partition)} WHERE ${condition})
    SELECT id FROM found LIMIT ${MAX_MOVED + 1})`;
}

/** Each is the condition of an index. */
const UNFINISHED = JOB_STATUSES.filter(
  (status) => !(TERMINAL_STATUSES as readonly string[]).includes(status),
).flatMap((status) => {
  const isStatus = sql`status = ${sql.lit(status)}`;
  if (status !== 'queued') return [isStatus];
  return [sql`${isStatus} AND dispatched_at IS NULL`, sql`${isStatus} AND dispatched_at IS NOT NULL`];
});

async function sizeOf(tx: Database, { jobs, attempts }: Partition): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    SELECT (pg_total_relation_size(${jobs}::regclass) + pg_total_relation_size(${attempts}::regclass))::float8 AS bytes
  `.execute(tx);
  return rows[0]?.bytes ?? 0;
}

async function detachAndKeep(tx: Database, partition: Partition, live: string[]): Promise<number> {
  const [jobs, attempts] = [sql.table(partition.jobs), sql.table(partition.attempts)];
  await sql`ALTER TABLE jobs DETACH PARTITION ${jobs}`.execute(tx);
  await sql`ALTER TABLE attempts DETACH PARTITION ${attempts}`.execute(tx);
  const { rows } = await sql<{ id: string }>`
    INSERT INTO jobs SELECT * FROM ${jobs} WHERE id = ANY(${live}::uuid[]) RETURNING id`.execute(tx);
  const ids = rows.map(({ id }) => id);
  await sql`INSERT INTO attempts SELECT * FROM ${attempts} WHERE job_id = ANY(${ids}::uuid[])`.execute(tx);
  return ids.length;
}

/**
 * Deletes up to `limit` jobs of the default partition that are not live any more, with their attempts, and answers how
 * many. What is there outlived its week or came with an id of no week: few, or no worker ran for weeks.
 */
export async function pruneDefaultPartition(
  db: Database,
  retentionDays: number,
  limit: number,
): Promise<number> {
  const [jobs, attempts] = [sql.table(DEFAULT_PARTITION.jobs), sql.table(DEFAULT_PARTITION.attempts)];
  const { rows } = await sql<{ jobs: number }>`
    WITH deleted AS (
      DELETE FROM ${jobs} WHERE id IN (
        SELECT id FROM ${jobs} AS job
        WHERE status IN ${listed(TERMINAL_STATUSES)} AND finished_at <= ${retained(retentionDays)}
          AND NOT EXISTS (SELECT FROM dead_letters WHERE job_id = job.id AND resolution IS NULL)
        LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id),
    deleted_attempts AS (DELETE FROM ${attempts} WHERE job_id IN (SELECT id FROM deleted))
    SELECT count(*)::int AS jobs FROM deleted`.execute(db);
  return rows[0]?.jobs ?? 0;
}

/** The moment from which on what happened is retained. */
function retained(days: number) {
  return sql`now() - ${days} * interval '1 day'`;
}
