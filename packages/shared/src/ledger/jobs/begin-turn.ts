import { type RawBuilder, sql } from 'kysely';
import type { InFlight, ReadyJob } from '../../core/fairness/fairness.ts';
import type { TenantBound } from '../../core/fairness/tenant-share.ts';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { isJobAt } from '../connection/unnest.ts';
import { CARRIED, carriedFrom, IN_ORDER } from './hot-rows.ts';

/** The lane of a live build, and how many dispatched jobs may wait in it to be claimed. */
export interface LaneWindow {
  buildId: string;
  size: number;
  /** How many jobs of one tenant may wait in it or run from it; any number when left out. */
  mostPerTenant?: TenantBound | undefined;
}

/** A job as the ledger gives it to the engine, under this dispatch number. */
export interface DispatchedJob extends DispatchKey {
  type: string;
  traceparent: string | null;
  /** The build whose lane it is in; `null`: a dispatcher of the version before builds put it into the queue itself. */
  buildId: string | null;
}

interface InFlightGroup {
  tenantId: string;
  concurrencyKey: string | null;
  /** Whether these are in the engine, not yet claimed; the others are running. */
  waiting: boolean;
  buildId: string | null;
  isQuick: boolean;
  jobs: number;
}

interface TurnRow {
  round: string;
  inFlight: InFlightGroup[];
  ready: ReadyJob[];
  everythingFits: boolean;
  heldBack: boolean;
  marked: DispatchedJob[];
}

/**
 * Reads what is dispatched or running, which the windows and the workers' concurrency bound, and the head of every flow
 * that a lane with room takes, most urgent first; marks it when all of it may go.
 *
 * A flow is what the ready jobs of one tenant and type are that the same schemas refuse. Flows are found by skipping from
 * one to the next in the index (PostgreSQL wiki, "Loose indexscan"), so a million queued jobs cost no more than the first,
 * and those that no build takes, or only one that is busy, hide no others. Jobs whose concurrency key is at its limit are
 * passed over here, or a long row of them would hide the rest; so are those of a tenant that has its share of a lane.
 */
export async function beginTurn(
  db: Database,
  queue: string,
  windows: LaneWindow[],
  quickTypes: readonly string[],
) {
  const buildIds = windows.map(({ buildId }) => buildId);
  const sizes = windows.map(({ size }) => size);
  const bounds = windows.map(({ mostPerTenant }) => mostPerTenant?.all ?? null);
  const slowBounds = windows.map(({ mostPerTenant }) => mostPerTenant?.slow ?? null);
  const { rows } = await sql<TurnRow>`
    /* begin-turn */ WITH RECURSIVE engaged AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, worker_id IS NULL AS waiting, build_id, type = ANY(${quickTypes}::text[]) AS is_quick,
        count(*) AS jobs
      FROM in_flight WHERE queue = ${queue}
      GROUP BY tenant_id, concurrency_key, waiting, build_id, is_quick
    ),
    used_keys AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, sum(jobs) AS jobs FROM engaged
      WHERE concurrency_key IS NOT NULL GROUP BY tenant_id, concurrency_key
    ),
    lanes AS MATERIALIZED (
      SELECT lane.no::int - 1 AS no, lane.build_id, lane.most_per_tenant, lane.most_slow, greatest(0, lane.size - coalesce(
        (SELECT sum(jobs) FROM engaged WHERE waiting AND engaged.build_id = lane.build_id), 0))::bigint AS room
      FROM unnest(${buildIds}::text[], ${sizes}::bigint[], ${bounds}::bigint[], ${slowBounds}::bigint[])
        WITH ORDINALITY AS lane (build_id, size, most_per_tenant, most_slow, no)
    ),
    taken AS MATERIALIZED (
      SELECT tenant_id, build_id, sum(jobs) AS jobs, coalesce(sum(jobs) FILTER (WHERE NOT is_quick), 0) AS slow_jobs
      FROM engaged GROUP BY tenant_id, build_id
    ),
    flows AS (
      (SELECT tenant_id, type, refused_by FROM ready WHERE queue = ${queue} AND ${IN_ORDER}
       ORDER BY tenant_id, type, refused_by, priority, job_id LIMIT 1)
      UNION ALL
      SELECT later.* FROM flows CROSS JOIN LATERAL (
        SELECT r.tenant_id, r.type, r.refused_by FROM ready r
        WHERE r.queue = ${queue} AND ${IN_ORDER} AND (r.tenant_id, r.type, r.refused_by) > (flows.tenant_id, flows.type, flows.refused_by)
        ORDER BY r.tenant_id, r.type, r.refused_by, r.priority, r.job_id LIMIT 1) AS later
    ),
    flow_lanes AS MATERIALIZED (
      SELECT flows.*, flows.type = ANY(${quickTypes}::text[]) AS is_quick, lanes.no, lanes.room,
        least(lanes.most_per_tenant - coalesce(taken.jobs, 0),
          CASE WHEN flows.type <> ALL (${quickTypes}::text[]) THEN lanes.most_slow - coalesce(taken.slow_jobs, 0) END
        ) AS left_to_tenant
      FROM flows JOIN build_types t ON t.type = flows.type AND t.schema_id <> ALL (flows.refused_by)
      JOIN lanes ON lanes.build_id = t.build_id
      LEFT JOIN taken ON taken.tenant_id = flows.tenant_id AND taken.build_id = lanes.build_id
    ),
    open_flows AS MATERIALIZED (
      SELECT tenant_id, type, refused_by, is_quick, array_agg(no ORDER BY no) AS lanes,
        sum(least(room, left_to_tenant + 1))::bigint AS room
      FROM flow_lanes WHERE room > 0 AND coalesce(left_to_tenant, 1) > 0
      GROUP BY tenant_id, type, refused_by, is_quick
    ),
    heads AS MATERIALIZED (
      SELECT id, tenant_id, priority, concurrency_key, concurrency_limit, lanes, is_quick FROM (
        SELECT head.*, flow.lanes, flow.room, flow.is_quick, row_number() OVER (
          PARTITION BY head.tenant_id, flow.lanes, flow.is_quick ORDER BY head.priority, head.id) AS place
        FROM open_flows AS flow CROSS JOIN LATERAL (
          SELECT r.job_id AS id, r.tenant_id, r.priority, r.concurrency_key, r.concurrency_limit
          FROM ready r
          WHERE r.queue = ${queue} AND ${IN_ORDER} AND r.tenant_id = flow.tenant_id AND r.type = flow.type AND r.refused_by = flow.refused_by
            AND (r.concurrency_key IS NULL OR r.concurrency_limit IS NULL OR NOT EXISTS (
              SELECT FROM used_keys used
              WHERE used.tenant_id = r.tenant_id AND used.concurrency_key = r.concurrency_key
                AND used.jobs >= r.concurrency_limit))
          ORDER BY r.priority, r.job_id
          LIMIT flow.room
        ) AS head
      ) AS placed
      WHERE place <= room
    ),
    before AS MATERIALIZED (
      SELECT coalesce((SELECT dispatch_round FROM queues WHERE name = ${queue}), 0) AS round
    ),
    above_share AS (
      SELECT tenant_id FROM (
        SELECT tenant_id, jobs, is_quick, false AS is_ready FROM engaged
        UNION ALL SELECT tenant_id, 1, is_quick, true FROM heads) AS job
      GROUP BY tenant_id
      HAVING bool_or(is_ready) AND (sum(jobs) > (SELECT min(most_per_tenant) FROM lanes)
        OR sum(jobs) FILTER (WHERE NOT is_quick) > (SELECT min(most_slow) FROM lanes))
    ),
    everything AS MATERIALIZED (
      SELECT count(*) <= (SELECT sum(room) FROM lanes) AND count(concurrency_limit) = 0
        AND (SELECT count(*) FROM lanes) = 1 AND NOT EXISTS (SELECT FROM above_share) AS fits, count(*) > 0 AS is_there
      FROM heads
    ),
    turn AS (
      INSERT INTO queues (name, dispatch_round) SELECT ${queue}, 1 FROM everything WHERE fits AND is_there
      ON CONFLICT (name) DO UPDATE SET dispatch_round = queues.dispatch_round + 1
        WHERE queues.dispatch_round = (SELECT round FROM before)
      RETURNING name
    ),
    ${moveToFlight(sql`SELECT heads.tenant_id, heads.id, (SELECT min(build_id) FROM lanes) FROM turn CROSS JOIN heads`)}
    SELECT (SELECT round FROM before) AS round, (SELECT fits FROM everything) AS "everythingFits",
      EXISTS (SELECT FROM flow_lanes WHERE left_to_tenant <= 0) AS "heldBack",
      (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'concurrencyKey', concurrency_key,
         'waiting', waiting, 'buildId', build_id, 'isQuick', is_quick, 'jobs', jobs)), '[]') FROM engaged) AS "inFlight",
      (SELECT coalesce(json_agg(json_build_object('id', id, 'tenantId', tenant_id, 'priority', priority,
         'concurrencyKey', concurrency_key, 'concurrencyLimit', concurrency_limit, 'lanes', lanes, 'isQuick', is_quick)
         ORDER BY priority, id), '[]') FROM heads) AS ready,
      (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'type', type,
         'traceparent', traceparent, 'buildId', build_id)), '[]') FROM marked) AS marked`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A turn answered no row.');
  return { ...row, round: Number(row.round), inFlight: sumInFlight(row.inFlight, buildIds) };
}

function sumInFlight(
  groups: InFlightGroup[],
  buildIds: string[],
): InFlight & { waitingIn: ReadonlyMap<string, number> } {
  const byTenant = new Map<string, number>();
  const byKey = new Map<string, number>();
  const byTenantAndLane = new Map<string, number>();
  const slowByTenantAndLane = new Map<string, number>();
  const waitingIn = new Map<string, number>();
  for (const { tenantId, concurrencyKey, waiting, buildId, isQuick, jobs } of groups) {
    addTo(byTenant, tenantId, jobs);
    if (concurrencyKey !== null) addTo(byKey, `${tenantId} ${concurrencyKey}`, jobs);
    if (buildId === null) continue;
    const lane = `${tenantId} ${buildIds.indexOf(buildId)}`;
    if (waiting) addTo(waitingIn, buildId, jobs);
    addTo(byTenantAndLane, lane, jobs);
    if (!isQuick) addTo(slowByTenantAndLane, lane, jobs);
  }
  return { byTenant, byKey, byTenantAndLane, slowByTenantAndLane, waitingIn };
}

function addTo(counts: Map<string, number>, key: string, added: number): void {
  counts.set(key, (counts.get(key) ?? 0) + added);
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
      RETURNING job_id AS id, dispatch_no, type, traceparent, build_id
    )`;
}
