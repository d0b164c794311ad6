import { type RawBuilder, sql } from 'kysely';
import type { QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from './hot-rows.ts';

export const LINE = sql.raw('tenant_id, type, refused_by, priority, is_new');
export const FLIGHT = sql.raw('tenant_id, type, concurrency_key, build_id');

/** Build the JSON of a `Line` and of a `FlightGroup`. */
export const LINE_JSON = sql.raw(
  `json_build_object('tenantId', tenant_id, 'type', type, 'refusedBy', refused_by, 'priority', priority, 'isNew', is_new,
    'placedBy', placed_by)`,
);
export const FLIGHT_JSON = sql.raw(
  `json_build_object('tenantId', tenant_id, 'type', type, 'concurrencyKey', concurrency_key, 'buildId', build_id,
    'jobs', jobs)`,
);

/** Whether a row of `ready` stands in a line after that of `line`, in the order of the index. */
export function isAfterLine(line: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`(${LINE}) > (${line}.tenant_id, ${line}.type, ${line}.refused_by, ${line}.priority, ${line}.is_new)`;
}

/**
 * Reads a queue whole: the first of every line, by skipping from one to the next in the index (PostgreSQL wiki, "Loose
 * indexscan"), and all that is in flight, which windows and slots bound.
 */
export async function surveyQueue(db: Database, queue: string): Promise<QueuePicture> {
  const { epoch, round, ...seen } = await readQueue(db, queue);
  if (epoch !== null && round !== null) return { ...seen, epoch, round: Number(round) };
  await sql`INSERT INTO told_since DEFAULT VALUES ON CONFLICT DO NOTHING`.execute(db);
  await sql`INSERT INTO queues (name) VALUES (${queue}) ON CONFLICT DO NOTHING`.execute(db);
  return await surveyQueue(db, queue);
}

type SurveyRow = Omit<QueuePicture, 'epoch' | 'round'> & {
  epoch: string | null;
  round: string | null;
};

async function readQueue(db: Database, queue: string): Promise<SurveyRow> {
  const { rows } = await sql<SurveyRow>`
    /* survey-queue */ WITH RECURSIVE line AS (
      (SELECT ${LINE}, placed_by FROM ready WHERE queue = ${queue} AND ${IN_ORDER}
       ORDER BY ${LINE}, placed_by, job_id LIMIT 1)
      UNION ALL
      SELECT later.* FROM line CROSS JOIN LATERAL (
        SELECT ${LINE}, placed_by FROM ready
        WHERE queue = ${queue} AND ${IN_ORDER}
          AND ${isAfterLine(sql`line`)}
        ORDER BY ${LINE}, placed_by, job_id LIMIT 1) AS later
    ),
    flight AS (
      SELECT ${FLIGHT}, count(*) AS jobs
      FROM in_flight WHERE queue = ${queue} AND ${OF_QUEUE} GROUP BY ${FLIGHT}
    )
    SELECT (SELECT epoch FROM told_since WHERE is_only_row) AS epoch,
      (SELECT dispatch_round FROM queues WHERE name = ${queue}) AS round,
      pg_current_snapshot()::text AS snapshot, now()::text AS "seenAt",
      (SELECT coalesce(json_agg(${LINE_JSON}), '[]') FROM line) AS lines,
      (SELECT coalesce(json_agg(${FLIGHT_JSON}), '[]') FROM flight) AS "inFlight"`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A survey answered no row.');
  return row;
}
