import { type RawBuilder, sql, type Transaction } from 'kysely';
import { firstUuidOf } from '../../core/job/week.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { isAt, unnestBatch } from '../connection/unnest.ts';
import { OF_JOB } from '../dead-letters/dead-letters-of-job.ts';
import { HOT_TABLES } from '../jobs/hot-tables.ts';
import { JOB_KEY_COLUMNS, type JobKey } from '../jobs/job-key.ts';
import { isLive } from '../jobs/live-condition.ts';
import {
  changePartitions,
  DEFAULT_PARTITION,
  listPartitions,
  lockJobs,
  MAX_MOVED,
  type Partition,
  type PartitionTables,
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
 * Drops a partition with its jobs and their attempts, but for those that are kept: live, finished within the retention, or
 * with an open dead letter. These move to the default partition in the same transaction, so everybody sees them all the
 * time. Answers `undefined` when somebody else is at it.
 *
 * Everybody waits while it happens, so what it does there is bounded by the jobs that are kept, and who is kept is searched
 * for before. Meanwhile nobody joins them but by an end, an accept under an old id, or a replay, which only an open dead
 * letter allows; so under the lock it looks for new ends and new jobs alone.
 */
export async function prunePartition(
  db: Database,
  partition: Partition,
  retentionDays: number,
): Promise<PrunedPartition | undefined> {
  const kept = await changePartitions(db, async (tx) => {
    if (!(await isThere(tx, partition))) return undefined;
    await summarize(tx, partition.jobs);
    await summarize(tx, partition.attempts);
    return await collectKept(tx, partition, retentionDays);
  });
  if (!kept) return undefined;
  return changePartitions(db, async (tx) => {
    if (!(await isThere(tx, partition))) return undefined;
    const left = { kind: 'left', partition: partition.jobs, moreLiveThan: MAX_MOVED } as const;
    if ((await withNewOnes(tx, partition, kept)).length > MAX_MOVED) return left;
    await lockJobs(tx);
    const live = await withNewOnes(tx, partition, kept);
    if (live.length > MAX_MOVED) return left;
    const bytes = await sizeOf(tx, partition);
    const moved = await detachAndKeep(tx, partition, live);
    await sql`DROP TABLE ${sql.join(tablesOf(partition))}`.execute(tx);
    return { kind: 'dropped', partition: partition.jobs, live: moved, bytes };
  });
}

/** Reads the part of the BRIN indexes that autovacuum has not made yet; without it the whole table would be read. */
async function summarize(tx: Transaction<Ledger>, table: string): Promise<void> {
  await sql`
    SELECT brin_summarize_new_values(indexrelid) FROM pg_index
    JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE indrelid = to_regclass(${table}) AND amname = 'brin'`.execute(tx);
}

/** Somebody else may have dropped it since the partitions were listed. */
async function isThere(tx: Transaction<Ledger>, { jobs }: Partition): Promise<boolean> {
  const { rows } = await sql<{
    isThere: boolean;
  }>`SELECT to_regclass(${jobs}) IS NOT NULL AS "isThere"`.execute(tx);
  return rows[0]?.isThere ?? false;
}

/** Jobs that are kept, and the moment from which on others may have joined them. */
interface KeptJobs {
  jobs: JobKey[];
  /** As Postgres writes it. */
  since: string;
}

/** A time in the ledger is when a transaction began, and it may have been under way when we looked. */
const LONGEST_TRANSACTION = sql.lit('1 minute');

/**
 * Answers the ids of a partition's jobs that are kept, and of more than `MAX_MOVED` when there are more. A BRIN index knows
 * ranges of pages: one late finisher in each, and this reads all attempts of the partition.
 */
async function collectKept(
  tx: Transaction<Ledger>,
  { attempts, fromMs, untilMs }: Partition,
  retentionDays: number,
): Promise<KeptJobs> {
  const { rows: times } = await sql<{ since: string }>`
    SELECT (now() - ${LONGEST_TRANSACTION}::interval)::text AS since`.execute(tx);
  const isOfPartition = sql`job_id >= ${firstUuidOf(fromMs)} AND job_id < ${firstUuidOf(untilMs)}`;
  const jobs = await selectKeys(tx, [
    ...HOT_TABLES.map(
      (table) => sql`SELECT tenant_id, job_id FROM ${sql.table(table)} WHERE ${isOfPartition}`,
    ),
    sql`SELECT DISTINCT tenant_id, job_id FROM dead_letters WHERE resolution IS NULL AND ${OF_JOB} AND ${isOfPartition}`,
    sql`SELECT DISTINCT tenant_id, job_id FROM ${sql.table(attempts)} WHERE finished_at > ${retained(retentionDays)}`,
  ]);
  return { jobs, since: times[0]?.since ?? '-infinity' };
}

/** Adds those who came or ended since: few, and found through small indexes. */
async function withNewOnes(tx: Transaction<Ledger>, partition: Partition, kept: KeptJobs): Promise<JobKey[]> {
  const isNew = (column: string) => sql`${sql.ref(column)} > ${kept.since}::timestamptz`;
  const added = await selectKeys(tx, [
    sql`SELECT tenant_id, id FROM ${sql.table(partition.jobs)} WHERE ${isNew('created_at')}`,
    sql`SELECT DISTINCT tenant_id, job_id FROM ${sql.table(partition.attempts)} WHERE ${isNew('finished_at')}`,
  ]);
  return distinct([...kept.jobs, ...added]);
}

/**
 * Selects more than `MAX_MOVED` jobs of each at most. The planner is not told so: who expects to stop early may walk a key,
 * and when there are few jobs that is all of it.
 */
async function selectKeys(tx: Transaction<Ledger>, selections: RawBuilder<unknown>[]): Promise<JobKey[]> {
  const parts = selections.map(
    (selection) => sql`(
      WITH found (tenant_id, id) AS MATERIALIZED (${selection})
      SELECT tenant_id AS "tenantId", id FROM found LIMIT ${MAX_MOVED + 1})`,
  );
  const { rows } = await sql<JobKey>`${sql.join(parts, sql` UNION ALL `)}`.execute(tx);
  return distinct(rows);
}

function distinct(keys: JobKey[]): JobKey[] {
  return [...new Map(keys.map((key) => [`${key.tenantId} ${key.id}`, key])).values()];
}

function tablesOf({ jobs, attempts, job_tags }: PartitionTables) {
  return [jobs, attempts, job_tags].map((name) => sql.table(name));
}

async function sizeOf(tx: Transaction<Ledger>, { jobs, attempts, job_tags }: Partition): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    SELECT sum(pg_total_relation_size(name::regclass))::float8 AS bytes FROM unnest(${[jobs, attempts, job_tags]}::text[]) AS name
  `.execute(tx);
  return rows[0]?.bytes ?? 0;
}

/** The tags of those that are kept are written again with their jobs (`write_job_tags`). */
async function detachAndKeep(tx: Transaction<Ledger>, partition: Partition, live: JobKey[]): Promise<number> {
  const [jobs, attempts, tags] = tablesOf(partition);
  await sql`ALTER TABLE jobs DETACH PARTITION ${jobs}`.execute(tx);
  await sql`ALTER TABLE attempts DETACH PARTITION ${attempts}`.execute(tx);
  await sql`ALTER TABLE job_tags DETACH PARTITION ${tags}`.execute(tx);
  const keys = unnestBatch('key', JOB_KEY_COLUMNS, live);
  const { rows } = await sql`
    INSERT INTO jobs SELECT job.* FROM ${keys} JOIN ${jobs} AS job
      ON ${isAt('job.tenant_id', 'key.tenant_id')} AND job.id = key.id
    RETURNING id`.execute(tx);
  await sql`
    INSERT INTO attempts SELECT attempt.* FROM ${keys} JOIN ${attempts} AS attempt
      ON ${isAt('attempt.tenant_id', 'key.tenant_id')} AND attempt.job_id = key.id`.execute(tx);
  return rows.length;
}

/**
 * Deletes up to `limit` jobs of the default partition that are not live any more, with what belongs to them, and answers how
 * many. What is there outlived its week or came with an id of no week: few, or no worker ran for weeks.
 */
export async function pruneDefaultPartition(
  db: Database,
  retentionDays: number,
  limit: number,
): Promise<number> {
  const [jobs, attempts, tags] = tablesOf(DEFAULT_PARTITION);
  const { rows } = await sql<{ jobs: number }>`
    WITH deleted AS (
      DELETE FROM ${jobs} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${jobs} AS job
        WHERE created_at <= ${retained(retentionDays)} AND NOT ${isLive(sql`job.tenant_id`, sql`job.id`)}
          AND NOT EXISTS (
            SELECT FROM ${attempts} AS late WHERE ${isAt('late.tenant_id', 'job.tenant_id')} AND late.job_id = job.id
              AND late.finished_at > ${retained(retentionDays)})
          AND NOT EXISTS (SELECT FROM dead_letters WHERE job_id = job.id AND ${OF_JOB} AND resolution IS NULL)
        LIMIT ${limit} FOR UPDATE SKIP LOCKED))
      RETURNING tenant_id, id, tags),
    deleted_attempts AS (
      DELETE FROM ${attempts} AS attempt USING deleted
      WHERE ${isAt('attempt.tenant_id', 'deleted.tenant_id')} AND attempt.job_id = deleted.id),
    -- Each tag is looked up by its key: by job alone, all tags of the tenant would be gone through.
    gone AS MATERIALIZED (
      SELECT tenant_id, id, of_job.tag FROM deleted CROSS JOIN jsonb_array_elements_text(tags) AS of_job (tag)),
    deleted_tags AS (
      DELETE FROM ${tags} AS entry USING gone
      WHERE ${isAt('entry.tenant_id', 'gone.tenant_id')} AND entry.tag = gone.tag AND entry.job_id = gone.id)
    SELECT count(*)::int AS jobs FROM deleted`.execute(db);
  return rows[0]?.jobs ?? 0;
}

/** The moment from which on what happened is retained. */
function retained(days: number) {
  return sql`now() - ${days} * interval '1 day'`;
}
