import { type RawBuilder, sql } from 'kysely';
import type { InFlight, ReadyJob } from '../../core/fairness/fairness.ts';
import type { TenantBound } from '../../core/fairness/tenant-share.ts';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { isJobAt } from '../connection/unnest.ts';
import { CARRIED, carriedFrom, IN_ORDER } from './hot-rows.ts';
import { FLIGHT, type FlightGroup, LINE, type QueuePicture } from './queue-picture.ts';

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

/** The most urgent first. */
const URGENCY = sql`priority, is_new, placed_by, id`;

interface TurnRow extends Pick<QueuePicture, 'snapshot' | 'seenAt' | 'lines' | 'inFlight'> {
  isPictureGood: boolean;
  round: string;
  everythingFits: boolean;
  /** The heads, in the order in which they are to run. */
  headIds: string[];
  /** The same as they are chosen from, where not all of them fit. */
  ready: ReadyJob[];
  heldBack: boolean;
  marked: DispatchedJob[];
}

/** So long at least is kept what was told (`forget-movements.ts`), and less. */
const PICTURE_MAX_AGE_MS = 20_000;

/**
 * Brings a dispatcher's picture of the queue up to date, and reads the head of every line that a lane with room takes, most
 * urgent first; marks it when all of it may go. Answers `undefined` when the picture is too old to be brought up to date.
 *
 * Lines are looked into by the index, each from where it begins: a million queued jobs cost no more than the first, and
 * those that no build takes, or only one that is busy, hide no others. Jobs whose concurrency key is at its limit are
 * passed over here, or a long row of them would hide the rest; so are those of a tenant that has its share of a lane.
 */
export async function beginTurn(
  db: Database,
  queue: string,
  picture: QueuePicture,
  windows: LaneWindow[],
  quickTypes: readonly string[],
) {
  const { rows } = await sql<TurnRow>`
    /* begin-turn */ WITH ${pictureNow(queue, picture)}, ${roomOfLanes(windows, quickTypes)},
    ${headsOfLines(queue, quickTypes)}, ${markIfAllFits(queue)}
    SELECT EXISTS (SELECT FROM untold) AS "isPictureGood", pg_current_snapshot()::text AS snapshot, now()::text AS "seenAt",
      (SELECT coalesce(json_agg(line), '[]') FROM next_lines AS line)::text AS lines,
      (SELECT coalesce(json_agg(flight), '[]') FROM flight)::text AS "inFlight",
      (SELECT round FROM before) AS round, (SELECT fits FROM everything) AS "everythingFits",
      EXISTS (SELECT FROM line_lanes WHERE left_to_tenant <= 0) AS "heldBack",
      CASE WHEN (SELECT fits FROM everything) THEN '[]' ELSE (
        SELECT coalesce(json_agg(json_build_object('id', id, 'tenantId', tenant_id, 'priority', priority,
          'concurrencyKey', concurrency_key, 'concurrencyLimit', concurrency_limit, 'lanes', lanes, 'isQuick', is_quick)
          ORDER BY ${URGENCY}), '[]') FROM heads) END AS ready,
      ARRAY(SELECT id FROM heads ORDER BY ${URGENCY}) AS "headIds",
      (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'type', type,
         'traceparent', traceparent, 'buildId', build_id)), '[]') FROM marked) AS marked`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A turn answered no row.');
  if (!row.isPictureGood) return undefined;
  const { snapshot, seenAt, lines, inFlight, ...turn } = row;
  return {
    ...turn,
    round: Number(row.round),
    picture: { epoch: picture.epoch, snapshot, seenAt, lines, inFlight },
    inFlight: sumInFlight(JSON.parse(inFlight), windows, quickTypes),
  };
}

/** Builds `flight` and `lines`: the picture, and what has been told since by transactions that it does not show. */
function pictureNow(queue: string, { epoch, snapshot, seenAt, lines, inFlight }: QueuePicture) {
  const isUntold = sql`queue = ${queue} AND told_by >= untold.since AND NOT pg_visible_in_snapshot(told_by, untold.snapshot)`;
  return sql`
    untold AS MATERIALIZED (
      SELECT snapshot, least(pg_snapshot_xmax(snapshot), (
        SELECT told_by FROM pg_snapshot_xip(snapshot) AS told_by
        WHERE pg_visible_in_snapshot(told_by, pg_current_snapshot()) ORDER BY told_by LIMIT 1)) AS since
      FROM (SELECT ${snapshot}::pg_snapshot AS snapshot) AS seen
      WHERE ${seenAt}::timestamptz > now() - ${PICTURE_MAX_AGE_MS} * interval '1 ms'
        AND EXISTS (SELECT FROM told_since WHERE is_only_row AND epoch = ${epoch})
    ),
    flight AS MATERIALIZED (
      SELECT ${FLIGHT}, sum(jobs)::bigint AS jobs FROM (
        SELECT ${FLIGHT}, jobs FROM json_to_recordset(${inFlight}::json) AS known (
          tenant_id uuid, type text, concurrency_key text, build_id text, is_claimed boolean, jobs bigint)
        UNION ALL
        SELECT ${FLIGHT}, jobs FROM untold CROSS JOIN LATERAL (SELECT * FROM flight_changes WHERE ${isUntold}) AS told
      ) AS change GROUP BY ${FLIGHT} HAVING sum(jobs) <> 0
    ),
    lines AS MATERIALIZED (
      SELECT DISTINCT ON (${LINE}) ${LINE}, placed_by FROM (
        SELECT known.* FROM json_to_recordset(${lines}::json) AS known (
          tenant_id uuid, type text, refused_by text[], priority smallint, is_new boolean, placed_by xid8)
        UNION ALL
        SELECT ${LINE}, since FROM untold CROSS JOIN LATERAL (SELECT * FROM arrivals WHERE ${isUntold}) AS told
      ) AS line CROSS JOIN untold ORDER BY ${LINE}, placed_by
    )`;
}

/** Builds `lanes` and `line_lanes`: the room of each lane, and what of it is left to a tenant that waits in a line. */
function roomOfLanes(windows: LaneWindow[], quickTypes: readonly string[]) {
  const buildIds = windows.map(({ buildId }) => buildId);
  const sizes = windows.map(({ size }) => size);
  const bounds = windows.map(({ mostPerTenant }) => mostPerTenant?.all ?? null);
  const slowBounds = windows.map(({ mostPerTenant }) => mostPerTenant?.slow ?? null);
  return sql`
    engaged AS MATERIALIZED (SELECT *, type = ANY(${quickTypes}::text[]) AS is_quick FROM flight),
    used_keys AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, sum(jobs) AS jobs FROM engaged
      WHERE concurrency_key IS NOT NULL GROUP BY tenant_id, concurrency_key
    ),
    lanes AS MATERIALIZED (
      SELECT lane.no::int - 1 AS no, lane.build_id, lane.most_per_tenant, lane.most_slow, greatest(0, lane.size - coalesce(
        (SELECT sum(jobs) FROM engaged WHERE NOT is_claimed AND engaged.build_id = lane.build_id), 0))::bigint AS room
      FROM unnest(${buildIds}::text[], ${sizes}::bigint[], ${bounds}::bigint[], ${slowBounds}::bigint[])
        WITH ORDINALITY AS lane (build_id, size, most_per_tenant, most_slow, no)
    ),
    taken AS MATERIALIZED (
      SELECT tenant_id, build_id, sum(jobs) AS jobs, coalesce(sum(jobs) FILTER (WHERE NOT is_quick), 0) AS slow_jobs
      FROM engaged GROUP BY tenant_id, build_id
    ),
    line_lanes AS MATERIALIZED (
      SELECT lines.*, lines.type = ANY(${quickTypes}::text[]) AS is_quick, lanes.no, lanes.room,
        least(lanes.most_per_tenant - coalesce(taken.jobs, 0),
          CASE WHEN lines.type <> ALL (${quickTypes}::text[]) THEN lanes.most_slow - coalesce(taken.slow_jobs, 0) END
        ) AS left_to_tenant
      FROM lines JOIN build_types t ON t.type = lines.type AND t.schema_id <> ALL (lines.refused_by)
      JOIN lanes ON lanes.build_id = t.build_id
      LEFT JOIN taken ON taken.tenant_id = lines.tenant_id AND taken.build_id = lanes.build_id
    )`;
}

/** Builds `heads`, the jobs that may go, and `next_lines`, where each line begins now. */
function headsOfLines(queue: string, quickTypes: readonly string[]) {
  const isInLine = sql`r.queue = ${queue} AND ${IN_ORDER} AND r.tenant_id = line.tenant_id AND r.type = line.type
    AND r.refused_by = line.refused_by AND r.priority = line.priority AND r.is_new = line.is_new`;
  return sql`
    open_lines AS MATERIALIZED (
      SELECT line.*, (SELECT r.placed_by FROM ready r WHERE ${isInLine} AND r.placed_by >= line.placed_by
        ORDER BY r.placed_by, r.job_id LIMIT 1) AS begins_by
      FROM (
        SELECT ${LINE}, placed_by, array_agg(no ORDER BY no) AS lanes, sum(least(room, left_to_tenant + 1))::bigint AS room
        FROM line_lanes WHERE room > 0 AND coalesce(left_to_tenant, 1) > 0
        GROUP BY ${LINE}, placed_by) AS line
    ),
    next_lines AS (
      SELECT lines.tenant_id, lines.type, lines.refused_by, lines.priority, lines.is_new,
        CASE WHEN line.type IS NULL THEN lines.placed_by ELSE line.begins_by END AS placed_by
      FROM lines LEFT JOIN open_lines AS line USING (${LINE})
      WHERE line.type IS NULL OR line.begins_by IS NOT NULL
    ),
    heads AS MATERIALIZED (
      SELECT id, tenant_id, priority, is_new, placed_by, concurrency_key, concurrency_limit, lanes, is_quick FROM (
        SELECT head.*, line.lanes, line.room, line.is_quick, row_number() OVER (
          PARTITION BY head.tenant_id, line.lanes, line.is_quick ORDER BY head.priority, head.is_new, head.placed_by, head.id) AS place
        FROM (SELECT *, type = ANY(${quickTypes}::text[]) AS is_quick FROM open_lines) AS line CROSS JOIN LATERAL (
          SELECT r.job_id AS id, r.tenant_id, r.priority, r.is_new, r.placed_by, r.concurrency_key, r.concurrency_limit
          FROM ready r
          WHERE ${isInLine} AND r.placed_by >= line.begins_by
            AND (r.concurrency_key IS NULL OR r.concurrency_limit IS NULL OR NOT EXISTS (
              SELECT FROM used_keys used
              WHERE used.tenant_id = r.tenant_id AND used.concurrency_key = r.concurrency_key
                AND used.jobs >= r.concurrency_limit))
          ORDER BY r.placed_by, r.job_id
          LIMIT line.room
        ) AS head
      ) AS placed
      WHERE place <= room
    )`;
}

/** Builds `marked`: the heads, if all of them may go and no other dispatcher has had a turn since. */
function markIfAllFits(queue: string) {
  return sql`
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
    ${moveToFlight(sql`SELECT heads.tenant_id, heads.id, (SELECT min(build_id) FROM lanes) FROM turn CROSS JOIN heads`)}`;
}

function sumInFlight(
  groups: FlightGroup[],
  windows: LaneWindow[],
  quickTypes: readonly string[],
): InFlight & { waitingIn: ReadonlyMap<string, number> } {
  const byTenant = new Map<string, number>();
  const byKey = new Map<string, number>();
  const byTenantAndLane = new Map<string, number>();
  const slowByTenantAndLane = new Map<string, number>();
  const waitingIn = new Map<string, number>();
  const laneOf = new Map(windows.map(({ buildId }, lane) => [buildId, lane]));
  for (const { tenant_id, type, concurrency_key, build_id, is_claimed, jobs } of groups) {
    addTo(byTenant, tenant_id, jobs);
    if (concurrency_key !== null) addTo(byKey, `${tenant_id} ${concurrency_key}`, jobs);
    if (build_id === null) continue;
    if (!is_claimed) addTo(waitingIn, build_id, jobs);
    const lane = `${tenant_id} ${laneOf.get(build_id) ?? -1}`;
    addTo(byTenantAndLane, lane, jobs);
    if (!quickTypes.includes(type)) addTo(slowByTenantAndLane, lane, jobs);
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
