import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from './hot-rows.ts';

/**
 * What a dispatcher remembers of a queue: all that a snapshot showed of it. What transactions that the snapshot did not show
 * have done since, they have told in sums (`migrations/0020_movements.ts`), so that nothing has to be read twice.
 */
export interface QueuePicture {
  /** Changes when what was told is lost, as by a crash of Postgres: then the picture is worth nothing. */
  epoch: string;
  /** As `pg_snapshot`. */
  snapshot: string;
  seenAt: string;
  /**
   * The lines in which ready jobs wait, as JSON: those of a line have tenant, type, priority and the schemas that refuse
   * them in common, and were all dispatched before, or none of them. None of its jobs was put there by a transaction before
   * `placed_by`.
   */
  lines: string;
  /** As JSON: what is in flight, in groups (`FlightGroup`). */
  inFlight: string;
}

/** Jobs in flight that have all of this in common. */
export interface FlightGroup {
  tenant_id: string;
  type: string;
  concurrency_key: string | null;
  build_id: string | null;
  /** Whether these are running; the others are in the engine. */
  is_claimed: boolean;
  jobs: number;
}

export const LINE = sql.raw('tenant_id, type, refused_by, priority, is_new');
export const FLIGHT = sql.raw('tenant_id, type, concurrency_key, build_id, is_claimed');

/** Whether a row of `ready` stands in a line after that of `line`, in the order of the index. */
export function isAfterLine(line: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`(${LINE}) > (${line}.tenant_id, ${line}.type, ${line}.refused_by, ${line}.priority, ${line}.is_new)`;
}

/**
 * Reads a queue whole: the first of every line, by skipping from one to the next in the index (PostgreSQL wiki, "Loose
 * indexscan"), and all that is in flight, which windows and slots bound.
 */
export async function surveyQueue(db: Database, queue: string): Promise<QueuePicture> {
  const picture = await readQueue(db, queue);
  if (picture.epoch !== null) return picture;
  await sql`INSERT INTO told_since DEFAULT VALUES ON CONFLICT DO NOTHING`.execute(db);
  return await surveyQueue(db, queue);
}

async function readQueue(db: Database, queue: string) {
  const { rows } = await sql<QueuePicture>`
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
      SELECT tenant_id, type, concurrency_key, build_id, worker_id IS NOT NULL AS is_claimed, count(*) AS jobs
      FROM in_flight WHERE queue = ${queue} AND ${OF_QUEUE} GROUP BY ${FLIGHT}
    )
    SELECT (SELECT epoch FROM told_since WHERE is_only_row) AS epoch, pg_current_snapshot()::text AS snapshot, now()::text AS "seenAt",
      (SELECT coalesce(json_agg(line), '[]') FROM line)::text AS lines,
      (SELECT coalesce(json_agg(flight), '[]') FROM flight)::text AS "inFlight"`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A survey answered no row.');
  return row;
}
