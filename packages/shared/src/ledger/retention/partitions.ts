import { sql, type Transaction } from 'kysely';
import { firstUuidOf, uuidTimeMs, WEEK_MS, weekStart } from '../../core/job/week.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';

/** What is split by the time in a job's id, and the column that has it. */
export const PARTITIONED = { jobs: 'id', attempts: 'job_id', job_tags: 'job_id' } as const;

/** The parts of these tables that have what belongs to the same jobs. Their names differ in the table's alone. */
export type PartitionTables = Record<keyof typeof PARTITIONED, string>;

/** What has the jobs whose ids were made from `fromMs` on and before `untilMs`. */
export interface Partition extends PartitionTables {
  fromMs: number;
  untilMs: number;
}

/** Takes the ids that no other partition takes. */
export const DEFAULT_PARTITION = partitionTables('default');

/** Names the parts of all tables that end so. */
export function partitionTables(suffix: string): PartitionTables {
  return { jobs: `jobs_${suffix}`, attempts: `attempts_${suffix}`, job_tags: `job_tags_${suffix}` };
}

const WEEKS_AHEAD = 2;
/** So many jobs are moved at most while nobody else may touch the tables. */
export const MAX_MOVED = 10_000;
/**
 * Whoever queues behind us waits no longer. Below `deadlock_timeout`, so that of two who wait for each other it is
 * always us who gives way.
 */
const LOCK_TIMEOUT_MS = 500;
/** Nor does anybody wait for a statement, or a process, that takes longer than this while it keeps them out. */
const LOCKED_STATEMENT_TIMEOUT_MS = 2_000;
const LOCKED_IDLE_TIMEOUT_MS = 1_000;

/** Lists all partitions but the default one, the oldest first. */
export async function listPartitions(db: Database): Promise<Partition[]> {
  const { rows } = await sql<{ name: string; from: string | null; until: string }>`
    SELECT name, substring(bounds FROM 'FROM \\(''([^'']+)''') AS "from", substring(bounds FROM 'TO \\(''([^'']+)''') AS until
    FROM (
      SELECT relname AS name, pg_get_expr(relpartbound, oid) AS bounds
      FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'jobs'::regclass) AS partition
    WHERE bounds <> 'DEFAULT' ORDER BY until`.execute(db);
  return rows.map(({ name, from, until }) => ({
    ...partitionTables(name.replace('jobs_', '')),
    fromMs: from === null ? 0 : uuidTimeMs(from),
    untilMs: uuidTimeMs(until),
  }));
}

/**
 * Runs `change` in a transaction in which nobody else changes partitions; answers `undefined` when somebody else does
 * just now. A lock that does not come soon fails it.
 */
export function changePartitions<T>(
  db: Database,
  change: (tx: Transaction<Ledger>) => Promise<T>,
): Promise<T | undefined> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ taken: boolean }>`
      SELECT pg_try_advisory_xact_lock(hashtextextended('accepted.partitions', 0)) AS taken,
        set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}`}, true)`.execute(tx);
    return rows[0]?.taken ? await change(tx) : undefined;
  });
}

/**
 * Keeps everybody out of these tables until the transaction ends. A lock on a partition alone would let in an insert
 * that has chosen the default partition before a better one is there, and then fails.
 *
 * From then on a statement that takes long, or a process that asks nothing more, fails the transaction: nothing has
 * changed then.
 */
export async function lockJobs(tx: Transaction<Ledger>): Promise<void> {
  await sql`LOCK TABLE ONLY jobs, ONLY attempts, ONLY job_tags IN ACCESS EXCLUSIVE MODE`.execute(tx);
  await sql`
    SELECT set_config('statement_timeout', ${`${LOCKED_STATEMENT_TIMEOUT_MS}`}, true),
      set_config('idle_in_transaction_session_timeout', ${`${LOCKED_IDLE_TIMEOUT_MS}`}, true)`.execute(tx);
}

/**
 * Makes the partitions of this week and the two after it that are not there, and answers their names. Jobs of such a
 * week that are in the default partition move; when they are more than `MAX_MOVED`, as when no worker ran for weeks,
 * they stay there with the rest of their week. By the clock of Postgres.
 */
export async function makeWeeks(db: Database): Promise<string[]> {
  if ((await missingWeeks(db)).length === 0) return [];
  const made = await changePartitions(db, async (tx) => {
    const names: string[] = [];
    for (const startMs of await missingWeeks(tx)) {
      if (await isCrowded(tx, startMs)) continue;
      if (names.length === 0) await lockJobs(tx);
      names.push(await makeWeek(tx, startMs));
    }
    return names;
  });
  return made ?? [];
}

/** Tells whether the jobs of this week go to the default partition. */
export async function lacksThisWeek(db: Database): Promise<boolean> {
  const [thisWeek] = await wantedWeeks(db);
  return (await missingWeeks(db)).some((startMs) => startMs === thisWeek);
}

/** A clock that was wrong for a moment may have made weeks of the far future: each week is asked for by itself. */
async function missingWeeks(db: Database): Promise<number[]> {
  const partitions = await listPartitions(db);
  return (await wantedWeeks(db)).filter(
    (startMs) => !partitions.some(({ fromMs, untilMs }) => fromMs < startMs + WEEK_MS && startMs < untilMs),
  );
}

async function wantedWeeks(db: Database): Promise<number[]> {
  const { rows } = await sql<{ ms: number }>`
    SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS ms`.execute(db);
  const thisWeek = weekStart(rows[0]?.ms ?? Number.NaN);
  return Array.from({ length: 1 + WEEKS_AHEAD }, (_, week) => thisWeek + week * WEEK_MS);
}

async function isCrowded(tx: Transaction<Ledger>, startMs: number): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM jobs_default WHERE ${inWeek('id', startMs)} LIMIT ${MAX_MOVED + 1}`.execute(tx);
  return rows.length > MAX_MOVED;
}

async function makeWeek(tx: Transaction<Ledger>, startMs: number): Promise<string> {
  const suffix = new Date(startMs).toISOString().slice(0, 10).replaceAll('-', '_');
  for (const [table, key] of Object.entries(PARTITIONED)) {
    const [parent, week, rest] = [table, `${table}_${suffix}`, `${table}_default`].map((name) =>
      sql.table(name),
    );
    await sql`CREATE TABLE ${week} (LIKE ${parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`.execute(tx);
    await sql`
      WITH moved AS (DELETE FROM ${rest} WHERE ${inWeek(key, startMs)} RETURNING *)
      INSERT INTO ${week} SELECT * FROM moved`.execute(tx);
    await sql`
      ALTER TABLE ${parent} ATTACH PARTITION ${week}
      FOR VALUES FROM (${sql.lit(firstUuidOf(startMs))}) TO (${sql.lit(firstUuidOf(startMs + WEEK_MS))})`.execute(
      tx,
    );
  }
  return `jobs_${suffix}`;
}

function inWeek(key: string, startMs: number) {
  const column = sql.ref(key);
  return sql`${column} >= ${firstUuidOf(startMs)} AND ${column} < ${firstUuidOf(startMs + WEEK_MS)}`;
}
