import { type RawBuilder, sql } from 'kysely';
import type { ChosenJobs } from '../../core/fairness/choose-jobs.ts';
import type { PlacedJobs, QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { given, prepared } from '../connection/prepared.ts';
import { isJobAt } from '../connection/unnest.ts';
import { CARRIED, carriedFrom, IN_ORDER } from './hot-rows.ts';

/** A job as the ledger gives it to the engine, under this dispatch number. */
export interface DispatchedJob extends DispatchKey {
  type: string;
  traceparent: string | null;
  /** The build whose lane it is in; `null`: a dispatcher of the version before builds put it into the queue itself. */
  buildId: string | null;
}

/** A job that was put into flight, with what it counts for there. */
export interface MarkedJob extends DispatchedJob {
  tenantId: string;
  concurrencyKey: string | null;
}

/** Builds the JSON of a `MarkedJob`, of a row of `marked`. */
export const MARKED_JSON =
  sql.raw(`json_build_object('id', id, 'dispatchNo', dispatch_no, 'tenantId', tenant_id, 'type', type,
  'concurrencyKey', concurrency_key, 'traceparent', traceparent, 'buildId', build_id)`);

/** What was found at the head of a line. */
export interface FoundJobs {
  /** The place of the line among those that were asked for. */
  no: number;
  /** Those that go, from the head on; some may have been canceled or moved meanwhile, and are not `marked`. */
  ids: string[];
  /** How many have left the line: they go, or wait for a slot of their key. */
  left: number;
  /** How many that were looked at have not; who came since the turn was told may have left before them. */
  stays: number;
  /** Where the line begins now. */
  placedBy: string;
  isEmpty: boolean;
}

export interface TakenJobs {
  /** Whether no other dispatcher has had a turn since: else nothing was done. */
  isTaken: boolean;
  found: FoundJobs[];
  marked: MarkedJob[];
}

/** Lines that are asked for, and the builds whose lanes their jobs go to, in order. */
export interface AskedLines {
  queue: string;
  round: number;
  lines: (Pick<ChosenJobs, 'line' | 'places'> & { builds: string[] })[];
}

/**
 * Takes the heads of lines of jobs without keys, if the queue is still in this round. Each line is looked into by the index,
 * from where it begins, for as many as go.
 */
export async function takeJobs(db: Database, asked: AskedLines): Promise<TakenJobs> {
  const [row] = await take(db, asked);
  if (!row) throw new Error('A turn answered no row.');
  return row;
}

const QUEUE = given(({ queue }: AskedLines) => queue);

const take = prepared<AskedLines, TakenJobs>(
  () => sql`
    /* take-jobs */ WITH turn AS (
      UPDATE queues SET dispatch_round = dispatch_round + 1
      WHERE name = ${QUEUE} AND dispatch_round = ${given(({ round }: AskedLines) => round)}::bigint
      RETURNING name
    ),
    asked AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${given(({ lines }: AskedLines) => askedJson(lines))}::json) AS asked (
        no integer, "tenantId" uuid, type text, "refusedBy" text[], priority smallint, "isNew" boolean, "isKeyed" boolean,
        "placedBy" xid8, builds text[])
    ),
    heads AS MATERIALIZED (
      SELECT asked.no, head.*, asked.builds[head.place] AS build_id, cardinality(asked.builds) AS most FROM turn CROSS JOIN asked CROSS JOIN LATERAL (
        SELECT tenant_id, job_id, placed_by, (row_number() OVER (ORDER BY placed_by, job_id))::integer AS place FROM (
          SELECT tenant_id, job_id, placed_by FROM ready
          WHERE queue = ${QUEUE} AND ${IN_ORDER} AND tenant_id = asked."tenantId" AND type = asked.type
            AND refused_by = asked."refusedBy" AND priority = asked.priority AND is_new = asked."isNew"
            AND is_keyed = asked."isKeyed" AND placed_by >= asked."placedBy"
          ORDER BY placed_by, job_id LIMIT cardinality(asked.builds)) AS waiting) AS head
    ),
    ${moveToFlight(sql`SELECT tenant_id, job_id, build_id FROM heads`)}
    SELECT EXISTS (SELECT FROM turn) AS "isTaken", (
        SELECT coalesce(json_agg(json_build_object('no', no, 'ids', ids, 'left', cardinality(ids), 'stays', 0, 'placedBy', last,
          'isEmpty', cardinality(ids) < most)), '[]')
        FROM (
          SELECT no, most, array_agg(job_id ORDER BY place) AS ids,
            (array_agg(placed_by ORDER BY place DESC))[1]::text AS last
          FROM heads GROUP BY no, most) AS found) AS found,
      (SELECT coalesce(json_agg(${MARKED_JSON}), '[]') FROM marked) AS marked`,
);

function askedJson(lines: AskedLines['lines'], withPlaces = false): string {
  return JSON.stringify(
    lines.map(({ line: { jobs: _, placedBy, ...name }, builds, places }, no) => ({
      ...name,
      no,
      placedBy: String(placedBy),
      builds,
      // Of others the order is put together afterwards.
      ...(withPlaces && { places }),
    })),
  );
}

/**
 * Builds the steps `departed` and `marked`, which move the jobs of `chosen`, rows of tenant, job and build, from `ready` into
 * flight. Who was canceled or moved meanwhile is not among `marked`.
 */
export function moveToFlight(chosen: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`departed AS (
      DELETE FROM ready USING (${chosen}) AS chosen (tenant_id, job_id, build_id)
      WHERE ${isJobAt('ready', 'chosen')}
      RETURNING ${carriedFrom('ready')}, chosen.build_id
    ),
    marked AS (
      INSERT INTO in_flight (${CARRIED}, dispatched_at, build_id)
      SELECT ${carriedFrom('departed', { dispatch_no: sql`departed.dispatch_no + 1` })}, now(), build_id FROM departed
      RETURNING job_id AS id, dispatch_no, tenant_id, type, concurrency_key, traceparent, build_id
    )`;
}

/** How many jobs may be in flight in all, of this name, when another one joins them. */
export interface Limit {
  /** A type, a tenant's id; of keys, the type of the job that joins. */
  name: string;
  most: number;
}

/** The limits that are in force: of types and tenants over all queues, and of keys by type; where there is none, that of the job holds. */
export interface Limits {
  key: readonly Limit[];
  type: readonly Limit[];
  tenant: readonly Limit[];
}

/** What spares a turn the look into the ledger; all of it may be left out. */
export interface KnownBefore extends Partial<Pick<QueuePicture, 'epoch' | 'flightsSince'>> {
  /** By tenant: all keys that its jobs in this queue wait for. */
  blockedKeys?: Record<string, string[]>;
}

/** Lines whose jobs have keys, or are limited otherwise, are asked for. */
export interface AskedLimitedLines extends AskedLines {
  limits: Limits;
  known: KnownBefore;
}

export interface TakenLimitedJobs extends TakenJobs {
  /** Jobs that found their key full and wait for a slot from now on. */
  blocked: PlacedJobs[];
  /** Gates that are full (`core/fairness/gates.ts`); `isHeldElsewhere`: by jobs of other queues as well. */
  full: { gate: string; isHeldElsewhere: boolean }[];
}

/**
 * Takes the heads of lines whose jobs are limited, if the queue is still in this round: those that find room go into flight. Of
 * others those whose key is full are moved to `blocked`, up to a bound, and the rest stays. What they share is locked in one order
 * before anybody is counted (`migrations/0027_limits.ts`), so that no two dispatchers give the same slot away.
 */
export async function takeLimitedJobs(db: Database, asked: AskedLimitedLines): Promise<TakenLimitedJobs> {
  const { queue, round, lines, limits, known } = asked;
  const { rows } = await sql<TakenLimitedJobs>`
    /* take-limited-jobs */ SELECT * FROM json_to_record(take_limited_jobs(
      ${queue}, ${round}, ${askedJson(lines, true)}::json, ${JSON.stringify(limitsOf(lines, limits))}::json,
      ${JSON.stringify(known)}::jsonb))
      AS taken ("isTaken" boolean, found json, marked json, blocked json, "full" json)`.execute(db);
  const [row] = rows;
  return row?.isTaken ? row : { isTaken: false, found: [], marked: [], blocked: [], full: [] };
}

/** Those of the limits that mean any of the lines. */
function limitsOf(lines: AskedLines['lines'], { key, type, tenant }: Limits): Limits {
  const types = new Set(lines.map(({ line }) => line.type));
  const tenants = new Set(lines.map(({ line }) => line.tenantId));
  return {
    key: key.filter(({ name }) => types.has(name)),
    type: type.filter(({ name }) => types.has(name)),
    tenant: tenant.filter(({ name }) => tenants.has(name)),
  };
}
