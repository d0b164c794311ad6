import { type RawBuilder, sql } from 'kysely';
import {
  createQueuePicture,
  lookAnew,
  type QueuePicture,
  type Survey,
} from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from './hot-rows.ts';

/** The columns that make a line of `ready`, and of `blocked`, in the order of their indexes. */
export const LINE = sql.raw('tenant_id, type, refused_by, priority, is_new, is_keyed');
export const BLOCKED_LINE = sql.raw('tenant_id, concurrency_key, type, refused_by, priority, is_new');
export const FLIGHT = sql.raw('tenant_id, type, concurrency_key, build_id');

/** Builds the JSON of a `PlacedJobs`, of rows that have the columns of a line, `placed_by` and what `more` says. */
export function lineJson({
  isKeyed,
  blockedBy,
  jobs,
}: Record<'isKeyed' | 'blockedBy' | 'jobs', RawBuilder<unknown>>) {
  return sql`json_build_object('tenantId', tenant_id, 'type', type, 'refusedBy', refused_by, 'priority', priority,
    'isNew', is_new, 'isKeyed', ${isKeyed}, 'blockedBy', ${blockedBy}, 'placedBy', placed_by::text, 'jobs', ${jobs})`;
}

/** Whether a row of `ready` stands in a line after that of `line`, in the order of the index. */
export function isAfterLine(line: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`(${LINE}) > (${line}.tenant_id, ${line}.type, ${line}.refused_by, ${line}.priority, ${line}.is_new, ${line}.is_keyed)`;
}

/** The same of a row of `blocked`. */
export function isAfterBlockedLine(line: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`(${BLOCKED_LINE}) > (${line}.tenant_id, ${line}.concurrency_key, ${line}.type, ${line}.refused_by, ${line}.priority,
    ${line}.is_new)`;
}

/** Reads a queue whole; a picture that is given is corrected where it is of the same round, as nobody else has had a turn since. */
export async function surveyQueue(db: Database, queue: string, known?: QueuePicture): Promise<QueuePicture> {
  const { epoch, round, present, passes, ...seen } = await readQueue(db, queue);
  if (epoch === null || round === null) {
    await sql`INSERT INTO told_since DEFAULT VALUES ON CONFLICT DO NOTHING`.execute(db);
    await sql`INSERT INTO queues (name) VALUES (${queue}) ON CONFLICT DO NOTHING`.execute(db);
    return await surveyQueue(db, queue, known);
  }
  const survey = { ...seen, epoch, round: Number(round), order: { present: present ?? 0, passes } };
  if (known?.round !== survey.round) return createQueuePicture(survey);
  lookAnew(known, survey);
  return known;
}

/** Short lines are counted, so that none of them is asked for more than it has. */
const MAX_COUNTED = 10;

function countOf(waiting: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(SELECT nullif(count(*), ${sql.lit(MAX_COUNTED)}) FROM (SELECT FROM ${waiting} LIMIT ${sql.lit(MAX_COUNTED)}) AS counted)`;
}

type SurveyRow = Omit<Survey, 'epoch' | 'round' | 'order'> & {
  epoch: string | null;
  round: string | null;
  present: number | null;
  passes: Survey['order']['passes'];
};

/**
 * Reads the first of every line, by skipping from one to the next in the index (PostgreSQL wiki, "Loose
 * indexscan"), and all that is in flight, which windows and slots bound.
 */
async function readQueue(db: Database, queue: string): Promise<SurveyRow> {
  const waits = sql`queue = ${queue} AND ${IN_ORDER}`;
  const { rows } = await sql<SurveyRow>`
    /* survey-queue */ WITH RECURSIVE line AS (
      (SELECT ${LINE}, placed_by FROM ready WHERE ${waits} ORDER BY ${LINE}, placed_by, job_id LIMIT 1)
      UNION ALL
      SELECT later.* FROM line CROSS JOIN LATERAL (
        SELECT ${LINE}, placed_by FROM ready WHERE ${waits} AND ${isAfterLine(sql`line`)}
        ORDER BY ${LINE}, placed_by, job_id LIMIT 1) AS later
    ),
    blocked_line AS (
      (SELECT ${BLOCKED_LINE}, placed_by FROM blocked WHERE ${waits}
       ORDER BY ${BLOCKED_LINE}, placed_by, job_id LIMIT 1)
      UNION ALL
      SELECT later.* FROM blocked_line AS line CROSS JOIN LATERAL (
        SELECT ${BLOCKED_LINE}, placed_by FROM blocked
        WHERE ${waits} AND ${isAfterBlockedLine(sql`line`)}
        ORDER BY ${BLOCKED_LINE}, placed_by, job_id LIMIT 1) AS later
    ),
    flight AS (
      SELECT ${FLIGHT}, count(*) AS jobs
      FROM in_flight WHERE queue = ${queue} AND ${OF_QUEUE} GROUP BY ${FLIGHT}
    ),
    seen AS (
      SELECT ${lineJson({
        isKeyed: sql`is_keyed`,
        blockedBy: sql`NULL::text`,
        jobs: countOf(sql`ready
        WHERE ${waits} AND (${LINE}) = (line.tenant_id, line.type, line.refused_by, line.priority, line.is_new, line.is_keyed)`),
      })} AS json
      FROM line
      UNION ALL
      SELECT ${lineJson({
        isKeyed: sql`true`,
        blockedBy: sql`concurrency_key`,
        jobs: countOf(sql`blocked
        WHERE ${waits} AND (${BLOCKED_LINE}) = (line.tenant_id, line.concurrency_key, line.type, line.refused_by,
          line.priority, line.is_new)`),
      })}
      FROM blocked_line AS line
    )
    SELECT (SELECT epoch FROM told_since WHERE is_only_row) AS epoch,
      (SELECT dispatch_round FROM queues WHERE name = ${queue}) AS round,
      (SELECT present_pass FROM queues WHERE name = ${queue}) AS present,
      pg_current_snapshot()::text AS snapshot, now()::text AS "seenAt",
      (SELECT coalesce(json_agg(json), '[]') FROM seen) AS lines,
      (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'type', type, 'concurrencyKey', concurrency_key,
        'buildId', build_id, 'jobs', jobs)), '[]') FROM flight) AS "inFlight",
      (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'pass', pass)), '[]') FROM passes
        WHERE queue = ${queue}) AS passes`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A survey answered no row.');
  return row;
}
