import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { FairOrderState } from '../../core/fairness/fair-order.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { IN_ORDER, OF_QUEUE } from '../jobs/hot-rows.ts';
import { BLOCKED_LINE, isAfterBlockedLine, isAfterLine, LINE } from '../jobs/survey-queue.ts';
import { FRESH_HELD_TYPES, type ToldType } from '../limits/adaptive-limits.ts';
import { countLines, type FirstOfLine, type LineLength } from './count-lines.ts';
import { IS_DRAIN_FRESH, RECENT_DRAIN } from './drain.ts';
import { planThroughIndexes } from './plan-through-indexes.ts';

/** A line of a queue as somebody saw it who takes nothing. */
export interface SketchedLine extends FirstOfLine, LineLength {
  /** How long the first of its jobs has been due. */
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
  /** When the lines were looked at, by `performance.now()`. */
  seenAtMs: number;
  lines: SketchedLine[];
  /** Whether there may be others, beside those that wait for a slot of a key. */
  isCut: boolean;
  /** Of all queues. */
  flights: FlightCount[];
  /** Of the tenants of the lines. */
  order: FairOrderState;
  /** How many jobs could be started a second when handlers were last busy; `null` where that is long ago. */
  drainPerSecond: number | null;
  /** Whether that is of now. */
  isDrainFresh: boolean;
  /** The types that its dispatcher holds down. */
  heldTypes: readonly Pick<ToldType, 'type' | 'most'>[];
}

interface ToldOfQueue extends Pick<QueueSketch, 'drainPerSecond' | 'isDrainFresh'> {
  present: number;
  heldTypes: ToldType[] | null;
}

const NOTHING_TOLD: ToldOfQueue = { present: 0, drainPerSecond: null, isDrainFresh: false, heldTypes: null };

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
    return await lookAtLines(tx, queue, tenantId);
  });
}

/** Looks at a queue, at what is in flight, and at who has had how much service. */
export function sketchQueue(db: Database, queue: string): Promise<QueueSketch> {
  return db.transaction().execute(async (tx) => {
    await planThroughIndexes(tx);
    const seenAtMs = performance.now();
    const lines = await lookAtLines(tx, queue, undefined);
    const { rows: flights } = await sql<FlightCount>`
      SELECT queue, tenant_id AS "tenantId", type, count(*)::int AS jobs,
        count(*) FILTER (WHERE worker_id IS NULL)::int AS unclaimed
      FROM in_flight WHERE ${OF_QUEUE} GROUP BY queue, tenant_id, type`.execute(tx);
    const { rows: told } = await sql<ToldOfQueue>`
      SELECT present_pass AS present, ${RECENT_DRAIN} AS "drainPerSecond", ${IS_DRAIN_FRESH} AS "isDrainFresh",
        ${FRESH_HELD_TYPES} AS "heldTypes"
      FROM queues WHERE name = ${queue}`.execute(tx);
    const tenants = [...new Set(lines.map(({ tenantId }) => tenantId))];
    const { rows: passes } = await sql<FairOrderState['passes'][number]>`
      SELECT tenant_id AS "tenantId", pass FROM passes
      WHERE queue = ${queue} AND tenant_id = ANY(${tenants}::uuid[])`.execute(tx);
    const isCut = lines.filter(({ blockedBy }) => blockedBy === null).length >= MOST_LINES;
    const { present, heldTypes, ...drain } = told[0] ?? NOTHING_TOLD;
    const ofQueue = { order: { present, passes }, heldTypes: heldTypes ?? [] };
    return { seenAtMs, lines, isCut, flights, ...drain, ...ofQueue };
  });
}

async function lookAtLines(
  tx: Transaction<Ledger>,
  queue: string,
  tenantId: string | undefined,
): Promise<SketchedLine[]> {
  const { rows: firsts } = await selectFirsts(queue, tenantId).execute(tx);
  return await countLines(tx, queue, firsts, MOST_COUNTED);
}

type First = FirstOfLine & Pick<SketchedLine, 'ageMs'>;

function selectFirsts(queue: string, tenantId: string | undefined): RawBuilder<First> {
  const whose = tenantId === undefined ? sql`` : sql` AND tenant_id = ${tenantId}`;
  const waits = sql`queue = ${queue} AND ${IN_ORDER}${whose}`;
  const most = sql.lit(MOST_LINES);
  const first = sql`placed_by, job_id, run_at`;
  const inOrder = sql`placed_by, job_id`;
  return sql<First>`
    WITH RECURSIVE line AS (
      (SELECT ${LINE}, ${first} FROM ready WHERE ${waits} ORDER BY ${LINE}, ${inOrder} LIMIT 1)
      UNION ALL
      SELECT later.* FROM line CROSS JOIN LATERAL (
        SELECT ${LINE}, ${first} FROM ready WHERE ${waits} AND ${isAfterLine(sql`line`)}
        ORDER BY ${LINE}, ${inOrder} LIMIT 1) AS later
    ),
    blocked_line AS (
      (SELECT ${BLOCKED_LINE}, ${first} FROM blocked WHERE ${waits} ORDER BY ${BLOCKED_LINE}, ${inOrder} LIMIT 1)
      UNION ALL
      SELECT later.* FROM blocked_line AS line CROSS JOIN LATERAL (
        SELECT ${BLOCKED_LINE}, ${first} FROM blocked WHERE ${waits} AND ${isAfterBlockedLine(sql`line`)}
        ORDER BY ${BLOCKED_LINE}, ${inOrder} LIMIT 1) AS later
    ),
    seen AS (
      SELECT ${LINE}, NULL::text AS blocked_by, ${first} FROM (SELECT * FROM line LIMIT ${most}) AS line
      UNION ALL
      SELECT tenant_id, type, refused_by, priority, is_new, true, concurrency_key, ${first}
      FROM (SELECT * FROM blocked_line LIMIT ${most}) AS line
    )
    SELECT tenant_id AS "tenantId", type, refused_by AS "refusedBy", priority, is_new AS "isNew", is_keyed AS "isKeyed",
      blocked_by AS "blockedBy", placed_by::text AS "placedBy", job_id AS "jobId",
      round(extract(epoch FROM now() - run_at) * 1000)::float8 AS "ageMs"
    FROM seen`;
}
