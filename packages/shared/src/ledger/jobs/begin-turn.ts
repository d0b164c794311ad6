import { type RawBuilder, sql } from 'kysely';
import type { ReadyJob } from '../../core/fairness/fairness.ts';
import type { FlightGroup, Line, QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { given, prepared } from '../connection/prepared.ts';
import { isJobAt } from '../connection/unnest.ts';
import { CARRIED, carriedFrom, IN_ORDER } from './hot-rows.ts';
import { FLIGHT_JSON, LINE, LINE_JSON } from './survey-queue.ts';

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

/** How a dispatcher looks into its queue. */
export interface TurnLook {
  picture: QueuePicture;
  /** The lines of the picture; of one that is held back a single job is looked at, as its tenant may have less by now. */
  lines: (Line & { isHeldBack: boolean })[];
  /** Their room as of the picture, and below 0 where more are in flight than may. */
  lanes: { buildId: string; room: number }[];
  /** So many jobs, whosever they are, give no tenant more than its share; any number where it is `null`. */
  mostOfShares: number | null;
  /** Keys of jobs in flight, as of the picture. */
  usedKeys: { tenantId: string; concurrencyKey: string; jobs: number }[];
  quickTypes: readonly string[];
}

/** What a dispatcher sees at its turn. */
export interface SeenTurn {
  isPictureGood: boolean;
  snapshot: string;
  seenAt: string;
  /** That the queue was in when it looked. */
  round: number;
  lines: Line[];
  /** What has left flight since the picture. */
  landed: FlightGroup[];
  /** Whether all that was found may go. */
  isAllThatFits: boolean;
  /** Whether the turn was taken: then the heads are `marked`, but for those that were canceled or moved meanwhile. */
  isTaken: boolean;
  /** The heads, in the order in which they are to run. */
  headIds: string[];
  /** The same as they are chosen from, where the turn was not taken. */
  heads: ReadyJob[];
  marked: MarkedJob[];
}

/** So long at least is kept what was told (`forget-movements.ts`), and less. */
const PICTURE_MAX_AGE_MS = 20_000;
/** The most urgent first. */
const URGENCY = sql`priority, is_new, placed_by, id`;

/**
 * Hears what has been told since the picture, and reads the head of every line that a lane with room takes, most urgent first;
 * marks it when all of it may go and no other dispatcher has had a turn.
 *
 * Lines are looked into by the index, each from where it begins: a million queued jobs cost no more than the first, and
 * those that no build takes, or only one that is busy, hide no others. Jobs whose concurrency key is at its limit are
 * passed over here, or a long row of them would hide the rest.
 */
export async function beginTurn(db: Database, queue: string, look: TurnLook): Promise<SeenTurn> {
  const [row] = await lookAndMark(db, { queue, ...look });
  if (!row) throw new Error('A turn answered no row.');
  return { ...row, round: Number(row.round) };
}

type Turn = TurnLook & { queue: string };

const QUEUE = given(({ queue }: Turn) => queue);
const ROUND = given(({ picture }: Turn) => picture.round);

const lookAndMark = prepared<Turn, SeenTurn & { round: string }>(
  () => sql`
    /* begin-turn */ WITH ${linesNow()}, ${headsOfLines()}, ${markIfAllFits()}
    SELECT EXISTS (SELECT FROM untold) AS "isPictureGood", pg_current_snapshot()::text AS snapshot, now()::text AS "seenAt",
      (SELECT dispatch_round FROM queues WHERE name = ${QUEUE}) AS round,
      (SELECT coalesce(json_agg(${LINE_JSON}), '[]') FROM lines_after) AS lines,
      (SELECT coalesce(json_agg(${FLIGHT_JSON}), '[]') FROM landed) AS landed,
      (SELECT is_all FROM fits) AS "isAllThatFits", EXISTS (SELECT FROM turn) AS "isTaken",
      ARRAY(SELECT id FROM heads ORDER BY ${URGENCY}) AS "headIds",
      CASE WHEN EXISTS (SELECT FROM turn) THEN '[]' ELSE (
        SELECT coalesce(json_agg(json_build_object('id', id, 'tenantId', tenant_id, 'priority', priority,
          'concurrencyKey', concurrency_key, 'concurrencyLimit', concurrency_limit, 'lanes', lanes, 'isQuick', is_quick)
          ORDER BY ${URGENCY}), '[]') FROM heads) END AS heads,
      (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'tenantId', tenant_id, 'type', type,
         'concurrencyKey', concurrency_key, 'traceparent', traceparent, 'buildId', build_id)), '[]') FROM marked) AS marked`,
);

function isUntold(): RawBuilder<boolean> {
  return sql`queue = ${QUEUE} AND told_by >= untold.since AND NOT pg_visible_in_snapshot(told_by, untold.snapshot)`;
}

/** Builds `untold`, which has a row if the picture is good, and `lines`: those of the picture, and where jobs have arrived since. */
function linesNow() {
  return sql`
    untold AS MATERIALIZED (
      SELECT snapshot, least(pg_snapshot_xmax(snapshot), (
        SELECT told_by FROM pg_snapshot_xip(snapshot) AS told_by
        WHERE pg_visible_in_snapshot(told_by, pg_current_snapshot()) ORDER BY told_by LIMIT 1)) AS since
      FROM (SELECT ${given(({ picture }: Turn) => picture.snapshot)}::pg_snapshot AS snapshot) AS seen
      WHERE ${ROUND}::bigint = (SELECT dispatch_round FROM queues WHERE name = ${QUEUE})
        AND ${given(({ picture }: Turn) => picture.seenAt)}::timestamptz > now() - ${PICTURE_MAX_AGE_MS} * interval '1 ms'
        AND EXISTS (SELECT FROM told_since WHERE is_only_row AND epoch = ${given(({ picture }: Turn) => picture.epoch)})
    ),
    lines AS MATERIALIZED (
      SELECT ${LINE}, (array_agg(placed_by ORDER BY placed_by))[1] AS placed_by, bool_or(is_held_back) AS is_held_back
      FROM (
        SELECT known."tenantId" AS tenant_id, type, known."refusedBy" AS refused_by, priority, known."isNew" AS is_new,
          known."placedBy" AS placed_by, known."isHeldBack" AS is_held_back
        FROM json_to_recordset(${given(({ lines }: Turn) => JSON.stringify(lines))}::json) AS known (
          "tenantId" uuid, type text, "refusedBy" text[], priority smallint, "isNew" boolean, "placedBy" xid8, "isHeldBack" boolean)
        UNION ALL
        SELECT ${LINE}, since, false FROM untold CROSS JOIN LATERAL (
          SELECT * FROM arrivals WHERE ${isUntold()}) AS told
      ) AS line WHERE EXISTS (SELECT FROM untold) GROUP BY ${LINE}
    )`;
}

/** Builds `heads`, the jobs that may go, and `lines_after`, where each line begins now. */
function headsOfLines() {
  const isInLine = sql`r.queue = ${QUEUE} AND ${IN_ORDER} AND r.tenant_id = line.tenant_id AND r.type = line.type
    AND r.refused_by = line.refused_by AND r.priority = line.priority AND r.is_new = line.is_new`;
  return sql`
    landed AS MATERIALIZED (
      SELECT told.* FROM untold CROSS JOIN LATERAL (SELECT * FROM landings WHERE ${isUntold()}) AS told
    ),
    lanes AS MATERIALIZED (
      SELECT lane.build_id, lane.no::int - 1 AS no, greatest(0, lane.room + coalesce((
        SELECT sum(jobs) FROM landed WHERE landed.build_id = lane.build_id), 0))::bigint AS room
      FROM unnest(${given(({ lanes }: Turn) => lanes.map(({ buildId }) => buildId))}::text[],
        ${given(({ lanes }: Turn) => lanes.map(({ room }) => room))}::bigint[])
        WITH ORDINALITY AS lane (build_id, room, no)
    ),
    looked_into AS MATERIALIZED (
      SELECT line.*, line.type = ANY(${given(({ quickTypes }: Turn) => quickTypes)}::text[]) AS is_quick, (
        SELECT r.placed_by FROM ready r WHERE ${isInLine} AND r.placed_by >= line.placed_by
        ORDER BY r.placed_by, r.job_id LIMIT 1) AS begins_by
      FROM (
        SELECT ${LINE}, placed_by, is_held_back, array_agg(lanes.no ORDER BY lanes.no) AS lanes, sum(lanes.room)::bigint AS room
        FROM lines JOIN build_types AS takes USING (type) JOIN lanes USING (build_id)
        WHERE takes.schema_id <> ALL (lines.refused_by) AND lanes.room > 0
        GROUP BY ${LINE}, placed_by, is_held_back) AS line
    ),
    lines_after AS (
      SELECT lines.tenant_id, lines.type, lines.refused_by, lines.priority, lines.is_new,
        CASE WHEN line.type IS NULL THEN lines.placed_by ELSE line.begins_by END AS placed_by
      FROM lines LEFT JOIN looked_into AS line USING (${LINE})
      WHERE line.type IS NULL OR line.begins_by IS NOT NULL
    ),
    used_keys AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, sum(jobs) AS jobs FROM (
        SELECT known."tenantId" AS tenant_id, known."concurrencyKey" AS concurrency_key, jobs
        FROM json_to_recordset(${given(({ usedKeys }: Turn) => JSON.stringify(usedKeys))}::json) AS known ("tenantId" uuid, "concurrencyKey" text, jobs bigint)
        UNION ALL SELECT tenant_id, concurrency_key, -jobs FROM landed WHERE concurrency_key IS NOT NULL
      ) AS used GROUP BY tenant_id, concurrency_key
    ),
    heads AS MATERIALIZED (
      SELECT * FROM (
        SELECT head.*, line.lanes, line.room, line.is_quick, row_number() OVER (
          PARTITION BY head.tenant_id, line.lanes, line.is_quick ORDER BY head.priority, head.is_new, head.placed_by, head.id) AS place
        FROM looked_into AS line CROSS JOIN LATERAL (
          SELECT r.job_id AS id, r.tenant_id, r.priority, r.is_new, r.placed_by, r.concurrency_key, r.concurrency_limit
          FROM ready r
          WHERE ${isInLine} AND r.placed_by >= line.begins_by
            AND (r.concurrency_key IS NULL OR r.concurrency_limit IS NULL OR NOT EXISTS (
              SELECT FROM used_keys AS used
              WHERE used.tenant_id = r.tenant_id AND used.concurrency_key = r.concurrency_key
                AND used.jobs >= r.concurrency_limit))
          ORDER BY r.placed_by, r.job_id
          LIMIT CASE WHEN line.is_held_back THEN 1 ELSE line.room END
        ) AS head
      ) AS placed
      WHERE place <= room
    )`;
}

/** Builds `marked`: the heads, if all of them may go and no other dispatcher has had a turn since the picture. */
function markIfAllFits() {
  const buildId = given(({ lanes }: Turn) => lanes[0]?.buildId ?? null);
  return sql`
    fits AS MATERIALIZED (
      SELECT count(*) BETWEEN 1 AND least(${given(({ mostOfShares }: Turn) => mostOfShares)}::bigint, (SELECT sum(room) FROM lanes))
        AND count(concurrency_limit) = 0 AND (SELECT count(*) FROM lanes) = 1 AS is_all
      FROM heads
    ),
    turn AS (
      UPDATE queues SET dispatch_round = dispatch_round + 1
      WHERE name = ${QUEUE} AND dispatch_round = ${ROUND}::bigint AND (SELECT is_all FROM fits)
      RETURNING name
    ),
    ${moveToFlight(sql`SELECT heads.tenant_id, heads.id, ${buildId}::text FROM turn CROSS JOIN heads`)}`;
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
