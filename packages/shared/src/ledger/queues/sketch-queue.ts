import { type RawBuilder, sql } from 'kysely';
import type { FairOrderState } from '../../core/fairness/fair-order.ts';
import type { LineName } from '../../core/fairness/queue-lines.ts';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from '../jobs/hot-rows.ts';
import { BLOCKED_LINE, isAfterBlockedLine, isAfterLine, LINE } from '../jobs/survey-queue.ts';
import { planThroughIndexes } from './plan-through-indexes.ts';

/** A line of a queue as somebody saw it who takes nothing. */
export interface SketchedLine extends LineName {
  /** The transaction that put its first job there, as text. */
  placedBy: string;
  /** How many jobs stand in it; no more than `counted` are counted. */
  jobs: number;
  counted: number;
  /** How long the first of them has been due. */
  ageMs: number;
}

/** Jobs in flight of one queue, tenant and type. */
export interface FlightCount {
  queue: string;
  tenantId: string;
  type: string;
  jobs: number;
  /** How many of them no worker has claimed. */
  unclaimed: number;
}

export interface QueueSketch {
  lines: SketchedLine[];
  /** Of all queues. */
  flights: FlightCount[];
  order: FairOrderState;
}

/** So many lines are looked at, in the order of their tenants, and so many jobs are counted in all of them together. */
const MOST_LINES = 1_000;
const MOST_COUNTED = 50_000;

/**
 * Looks at what is due in a queue, by its lines, of one tenant or of all. A line is found by skipping to it in the index, as the
 * dispatcher does, so that one with a million jobs hides no other.
 */
export function sketchLines(
  db: Database,
  queue: string,
  tenantId: string | undefined,
): Promise<SketchedLine[]> {
  return db.transaction().execute(async (tx) => {
    await planThroughIndexes(tx);
    const { rows } = await selectLines(queue, tenantId).execute(tx);
    return rows;
  });
}

/** Looks at a queue, at what is in flight, and at who has had how much service. */
export function sketchQueue(db: Database, queue: string): Promise<QueueSketch> {
  return db.transaction().execute(async (tx) => {
    await planThroughIndexes(tx);
    const { rows: lines } = await selectLines(queue, undefined).execute(tx);
    const { rows: flights } = await sql<FlightCount>`
      SELECT queue, tenant_id AS "tenantId", type, count(*)::int AS jobs,
        count(*) FILTER (WHERE worker_id IS NULL)::int AS unclaimed
      FROM in_flight WHERE ${OF_QUEUE} GROUP BY queue, tenant_id, type`.execute(tx);
    const { rows: held } = await sql<{ present: number }>`
      SELECT present_pass AS present FROM queues WHERE name = ${queue}`.execute(tx);
    const { rows: passes } = await sql<FairOrderState['passes'][number]>`
      SELECT tenant_id AS "tenantId", pass FROM passes WHERE queue = ${queue} LIMIT ${sql.lit(MOST_LINES)}`.execute(
      tx,
    );
    return { lines, flights, order: { present: held[0]?.present ?? 0, passes } };
  });
}

function selectLines(queue: string, tenantId: string | undefined): RawBuilder<SketchedLine> {
  const whose = tenantId === undefined ? sql`` : sql` AND tenant_id = ${tenantId}`;
  const waits = sql`queue = ${queue} AND ${IN_ORDER}${whose}`;
  const isBlocked = sql`queue = ${queue}${whose}`;
  const most = sql.lit(MOST_LINES);
  const first = sql`placed_by, job_id`;
  return sql<SketchedLine>`
    WITH RECURSIVE line AS (
      (SELECT ${LINE}, placed_by, run_at FROM ready WHERE ${waits} ORDER BY ${LINE}, ${first} LIMIT 1)
      UNION ALL
      SELECT later.* FROM line CROSS JOIN LATERAL (
        SELECT ${LINE}, placed_by, run_at FROM ready WHERE ${waits} AND ${isAfterLine(sql`line`)}
        ORDER BY ${LINE}, ${first} LIMIT 1) AS later
    ),
    blocked_line AS (
      (SELECT ${BLOCKED_LINE}, placed_by, run_at FROM blocked WHERE ${isBlocked} ORDER BY ${BLOCKED_LINE}, ${first} LIMIT 1)
      UNION ALL
      SELECT later.* FROM blocked_line AS line CROSS JOIN LATERAL (
        SELECT ${BLOCKED_LINE}, placed_by, run_at FROM blocked WHERE ${isBlocked} AND ${isAfterBlockedLine(sql`line`)}
        ORDER BY ${BLOCKED_LINE}, ${first} LIMIT 1) AS later
    ),
    seen AS MATERIALIZED (
      SELECT ${LINE}, NULL::text AS blocked_by, placed_by, run_at FROM (SELECT * FROM line LIMIT ${most}) AS line
      UNION ALL
      SELECT tenant_id, type, refused_by, priority, is_new, true, concurrency_key, placed_by, run_at
      FROM (SELECT * FROM blocked_line LIMIT ${most}) AS line
    ),
    bound AS MATERIALIZED (SELECT ${sql.lit(MOST_COUNTED)} / greatest(count(*), 1) AS counted FROM seen)
    SELECT tenant_id AS "tenantId", type, refused_by AS "refusedBy", priority, is_new AS "isNew", is_keyed AS "isKeyed",
      blocked_by AS "blockedBy", placed_by::text AS "placedBy", counted::int AS counted,
      round(extract(epoch FROM now() - run_at) * 1000)::float8 AS "ageMs",
      (CASE WHEN blocked_by IS NULL THEN (
        SELECT count(*) FROM (SELECT FROM ready WHERE ${waits}
          AND (${LINE}) = (seen.tenant_id, seen.type, seen.refused_by, seen.priority, seen.is_new, seen.is_keyed)
          LIMIT counted) AS one)
      ELSE (
        SELECT count(*) FROM (SELECT FROM blocked WHERE ${isBlocked}
          AND (${BLOCKED_LINE}) = (seen.tenant_id, seen.blocked_by, seen.type, seen.refused_by, seen.priority, seen.is_new)
          LIMIT counted) AS one)
      END)::int AS jobs
    FROM seen CROSS JOIN bound`;
}
