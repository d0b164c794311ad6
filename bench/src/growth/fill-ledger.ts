// All that the bench knows of the layout of the ledger's tables is in this file.
import { priorityRank } from '@accepted/shared/core/job/priority';
import { firstUuidOf, uuidTimeMs, WEEK_MS } from '@accepted/shared/core/job/week';
import type { Pool } from 'pg';
import type { Outcome } from '../contenders/contender.ts';
import { readCommitTimes } from '../contenders/postgres-rows.ts';

/** The queue and the type of a backlog: workers serve it when they are given the handlers in `jobs` beside this file. */
const HELD = { queue: 'held', type: 'bench.held' };

/** The queue of all other jobs. */
export const USUAL_QUEUE = 'default';

/** Jobs to be put into the ledger as if they had been submitted, and perhaps finished, long ago. */
export interface Filling {
  postgres: Pool;
  tenantId: string;
  payloadJson: string;
  jobs: number;
  /** Gets a line now and then. */
  onProgress: (line: string) => void;
}

const CHUNK = 50_000;
const PROGRESS_EVERY_CHUNKS = 10;

/** The backlog was submitted within the last hour; what is finished, within the weeks before. */
const BACKLOG = { youngestS: 1, spreadS: 3_600 };
const PAST_WEEKS = 4;
const FINISHED = { youngestS: 3_601, spreadS: (PAST_WEEKS * WEEK_MS) / 1_000 };

/**
 * Splits the past of an empty ledger into the weeks that there would be if it had been in use for long: a new ledger keeps
 * all that is before the week after its migration in one partition.
 */
export async function makePastWeeks(postgres: Pool): Promise<void> {
  for (const table of ['jobs', 'attempts']) {
    const { rows } = await postgres.query(
      `SELECT relname AS name, substring(pg_get_expr(relpartbound, oid) FROM $$TO \\('(.*)'\\)$$) AS "until"
       FROM pg_inherits JOIN pg_class ON oid = inhrelid
       WHERE inhparent = $1::regclass AND pg_get_expr(relpartbound, oid) LIKE '%MINVALUE%'`,
      [table],
    );
    const [past] = rows;
    await postgres.query(`DROP TABLE ${past.name}`);
    const untilMs = uuidTimeMs(past.until);
    const bounds = Array.from({ length: PAST_WEEKS + 2 }, (_, week) => untilMs - week * WEEK_MS);
    const ranges = bounds.map((until, index) => {
      const from = bounds[index + 1];
      return `FROM (${from === undefined ? 'MINVALUE' : `'${firstUuidOf(from)}'`}) TO ('${firstUuidOf(until)}')`;
    });
    for (const [index, range] of ranges.entries())
      await postgres.query(`CREATE TABLE ${table}_past_${index} PARTITION OF ${table} FOR VALUES ${range}`);
  }
}

/** Adds to the backlog: jobs that are ready to be dispatched. */
export async function fillBacklog(filling: Filling): Promise<void> {
  const statement = `
    WITH written AS (${insertJobs(BACKLOG)})
    INSERT INTO ready (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
      priority, losses, suspect, has_followers, queue, type, refused_by)
    SELECT tenant_id, id, run_at, 1, 0, 0, 0, 0, 0, priority, 0, false, false, queue, type, '{}' FROM written`;
  await fill(filling, statement, 'queued');
}

/** Adds finished jobs, each with its one attempt. */
export async function fillFinished(filling: Filling): Promise<void> {
  const statement = `
    WITH written AS (${insertJobs(FINISHED)})
    INSERT INTO attempts (tenant_id, job_id, run_at, dispatched_at, started_at, finished_at, version, attempt, attempts_made,
      replay_round, dispatch_no, revision, losses, suspect, status, outcome, result)
    SELECT tenant_id, id, run_at, run_at, run_at, run_at, 3, 1, 1, 0, 1, 0, 0, false, 'succeeded', 'succeeded', '{}'
    FROM written`;
  await fill(filling, statement, 'finished');
}

/** Writes in chunks, without waiting for the disk at each. */
async function fill(filling: Filling, statement: string, what: string): Promise<void> {
  const { postgres, tenantId, payloadJson, jobs, onProgress } = filling;
  const client = await postgres.connect();
  try {
    await client.query('SET synchronous_commit = off');
    for (let first = 0, chunks = 1; first < jobs; first += CHUNK, chunks += 1) {
      const last = Math.min(first + CHUNK, jobs) - 1;
      await client.query(statement, [first, last, jobs, tenantId, HELD.type, HELD.queue, payloadJson]);
      if (chunks % PROGRESS_EVERY_CHUNKS === 0) onProgress(`${last + 1} of ${jobs} ${what} jobs written`);
    }
    await client.query('RESET synchronous_commit');
  } finally {
    client.release();
  }
}

/** Does after a large filling what autovacuum would have done by the time that a ledger is this large. */
export async function settleLedger(postgres: Pool): Promise<void> {
  await postgres.query('VACUUM (ANALYZE) jobs, attempts, ready, blocked, due, in_flight');
  await postgres.query('CHECKPOINT');
}

/** Ids are UUIDs of version 7 of the time of the job, as the API would have made them then (PostgreSQL 18 makes such). */
function insertJobs(age: { youngestS: number; spreadS: number }): string {
  return `
    INSERT INTO jobs (id, created_at, run_at, tenant_id, type, queue, priority, payload, max_attempts, backoff, timeout_ms,
      tags, metadata)
    SELECT id, at, at, $4::uuid, $5::text, $6::text, ${priorityRank('normal')}, $7::json, 3,
      '{"type":"exponential","delayMs":1000,"maxMs":3600000,"jitter":"full"}', 60000, '[]', '{}'
    FROM (
      SELECT id, uuid_extract_timestamp(id) AS at
      FROM (
        SELECT uuidv7(make_interval(secs => -${age.youngestS} - ${age.spreadS} * (1 - n / $3::float8))) AS id
        FROM generate_series($1::int, $2::int) AS n
        OFFSET 0
      ) AS made
    ) AS dated
    RETURNING *`;
}

/** Answers how many bytes jobs, attempts and their indexes take on the disk. */
export async function ledgerBytes(postgres: Pool): Promise<number> {
  const { rows } = await postgres.query(`
    SELECT sum(pg_total_relation_size(relid))::float8 AS bytes
    FROM (SELECT relid FROM pg_partition_tree('jobs') UNION ALL SELECT relid FROM pg_partition_tree('attempts')) AS t`);
  return rows[0].bytes;
}

/** Counts the jobs of the usual queue that wait or run. */
export async function countUsual(postgres: Pool): Promise<number> {
  const { rows } = await postgres.query(
    `SELECT ((SELECT count(*) FROM ready WHERE queue = $1) + (SELECT count(*) FROM in_flight WHERE queue = $1))::int AS open`,
    [USUAL_QUEUE],
  );
  return rows[0].open;
}

/** Counts the backlog. */
export async function countHeld(postgres: Pool): Promise<number> {
  const { rows } = await postgres.query('SELECT count(*)::int AS held FROM ready WHERE queue = $1', [
    HELD.queue,
  ]);
  return rows[0].held;
}

/** The backlog, by the index for its order. */
const LINE = `FROM ready WHERE CASE WHEN attempt >= 0 THEN true ELSE false END AND queue = $1 AND tenant_id = $2 AND type = '${HELD.type}' AND refused_by = '{}'
  AND priority = ${priorityRank('normal')} AND is_keyed = false`;

/** Where a job stands: those that were given back go first, and what one transaction put there is in the order of its ids. */
export interface Place {
  isNew: boolean;
  placedBy: string;
  id: string;
}

/** Finds the place of the job of the backlog that has so many before it. */
export async function findHeld(postgres: Pool, tenantId: string, before: number): Promise<Place> {
  const { rows } = await postgres.query(
    `SELECT is_new AS "isNew", placed_by::text AS "placedBy", job_id AS id ${LINE}
     ORDER BY is_new, placed_by, job_id OFFSET $3 LIMIT 1`,
    [HELD.queue, tenantId, before],
  );
  return rows[0];
}

/** Counts what waits before a job of the backlog, however much waits behind it. */
export async function countBefore(postgres: Pool, tenantId: string, place: Place): Promise<number> {
  const { isNew, placedBy, id } = place;
  const { rows } = await postgres.query(
    `SELECT ((SELECT count(*) ${LINE} AND is_new = $3 AND (placed_by, job_id) < ($4::xid8, $5::uuid))
       + (SELECT count(*) ${LINE} AND is_new = false AND $3))::int AS before`,
    [HELD.queue, tenantId, isNew, placedBy, id],
  );
  return rows[0].before;
}

/** Makes an id that is between all jobs so far and those to come. */
export async function idOfNow(postgres: Pool): Promise<string> {
  const { rows } = await postgres.query('SELECT uuidv7() AS id');
  return rows[0].id;
}

/** Lists when the jobs after an id were committed as finished, by the number in their payload. */
export async function listFinishedAfter(postgres: Pool, id: string): Promise<Outcome[]> {
  return await readCommitTimes(
    postgres,
    'payload',
    `(
    SELECT attempts.xmin, payload FROM attempts JOIN jobs ON jobs.tenant_id = attempts.tenant_id AND jobs.id = job_id
    WHERE job_id > '${id}' AND status = 'succeeded') AS finished`,
  );
}

/** Lists jobs from all over the ledger, those that follow random moments of its time. */
export async function someJobIds(postgres: Pool, count: number): Promise<string[]> {
  const { rows } = await postgres.query(
    `SELECT job.id
     FROM (SELECT uuidv7(make_interval(secs => -random() * $2)) AS id FROM generate_series(1, $1::int)) AS moment,
       LATERAL (
         SELECT id FROM jobs WHERE tenant_id = (SELECT tenant_id FROM jobs LIMIT 1) AND jobs.id > moment.id
         ORDER BY jobs.id LIMIT 1) AS job`,
    [count, FINISHED.youngestS + FINISHED.spreadS],
  );
  return rows.map((row) => row.id);
}

/** Finds the tenant of the API key that the API was started with. */
export async function onlyTenant(postgres: Pool): Promise<string> {
  const { rows } = await postgres.query('SELECT id FROM tenants');
  if (rows.length !== 1) throw new Error(`There are ${rows.length} tenants where one was expected.`);
  return rows[0].id;
}
