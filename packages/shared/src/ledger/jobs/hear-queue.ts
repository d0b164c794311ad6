import { type RawBuilder, sql } from 'kysely';
import type { Landing } from '../../core/fairness/flights.ts';
import type { Heard, QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';
import { given, prepared } from '../connection/prepared.ts';
import { IN_ORDER } from './hot-rows.ts';
import { LINE, lineJson } from './survey-queue.ts';
import { MARKED_JSON, type MarkedJob, moveToFlight } from './take-jobs.ts';

/** What may be taken of arrivals at once: so many jobs, of these types, into this lane. */
export interface AtOnce {
  jobs: number;
  buildId: string | null;
  types: readonly string[];
}

/** What was heard, and taken at once. */
export interface HeardTurn extends Heard {
  isPictureGood: boolean;
  /** Whether all that had arrived was taken: then it is `marked`, but for what was canceled or moved meanwhile. */
  isTaken: boolean;
  /** What was taken, in the order in which it is to run. */
  takenIds: string[];
  marked: MarkedJob[];
}

/** So long at least is kept what was told (`forget-movements.ts`), and less. */
const PICTURE_MAX_AGE_MS = 20_000;

/**
 * Hears what has been told since the picture. Where no more jobs have arrived than may be taken at once, and no other dispatcher
 * has had a turn, they are put into flight: a job that comes to an idle queue waits for no second statement.
 */
export async function hearQueue(
  db: Database,
  queue: string,
  picture: QueuePicture,
  atOnce: AtOnce,
): Promise<HeardTurn> {
  const [row] = await hearAndTake(db, { queue, picture, atOnce });
  if (!row) throw new Error('A look at a queue answered no row.');
  const { told, round, ...heard } = row;
  return { ...heard, round: Number(round), landings: told.flatMap(landingsOf) };
}

/** Landings of one type and build as they are told together: the arrays have a place for each tenant and key. */
interface ToldLandings extends Pick<Landing, 'type' | 'buildId'> {
  tenantIds: string[];
  concurrencyKeys: (string | null)[];
  jobs: number[];
  started: number[];
  ranMs: number[];
}

function landingsOf({ type, buildId, tenantIds, ...of }: ToldLandings): Landing[] {
  return tenantIds.map((tenantId, place) => ({
    tenantId,
    type,
    concurrencyKey: of.concurrencyKeys[place] ?? null,
    buildId,
    jobs: of.jobs[place] ?? 0,
    started: of.started[place] ?? 0,
    ranMs: of.ranMs[place] ?? 0,
  }));
}

interface Look {
  queue: string;
  picture: QueuePicture;
  atOnce: AtOnce;
}

const QUEUE = given(({ queue }: Look) => queue);
const ROUND = given(({ picture }: Look) => picture.round);

const hearAndTake = prepared<
  Look,
  Omit<HeardTurn, 'round' | 'landings'> & { round: string; told: ToldLandings[] }
>(
  () => sql`
    /* hear-queue */ WITH ${whatWasTold()}, ${takeAllThatFits()}
    SELECT EXISTS (SELECT FROM untold) AS "isPictureGood", pg_current_snapshot()::text AS snapshot, now()::text AS "seenAt",
      (SELECT dispatch_round FROM queues WHERE name = ${QUEUE}) AS round,
      (SELECT coalesce(json_agg(${lineJson({ isKeyed: sql`is_keyed`, blockedBy: sql`NULL::text`, jobs: sql`jobs` })}), '[]')
        FROM arrived) AS arrivals,
      (SELECT coalesce(json_agg(json_build_object('type', type, 'buildId', build_id, 'tenantIds', tenant_ids,
        'concurrencyKeys', concurrency_keys, 'jobs', jobs, 'started', started, 'ranMs', ran_ms)), '[]') FROM landed) AS told,
      EXISTS (SELECT FROM turn) AS "isTaken",
      ARRAY(SELECT job_id FROM heads ORDER BY priority, is_new, placed_by, job_id) AS "takenIds",
      (SELECT coalesce(json_agg(${MARKED_JSON}), '[]') FROM marked) AS marked`,
);

function isUntold(): RawBuilder<boolean> {
  return sql`queue = ${QUEUE} AND told_by >= untold.since AND NOT pg_visible_in_snapshot(told_by, untold.snapshot)`;
}

/** Builds `untold`, which has a row if the picture is good, `arrived`, by line, and `landed`. */
function whatWasTold() {
  return sql`
    untold AS MATERIALIZED (
      SELECT snapshot, least(pg_snapshot_xmax(snapshot), (
        SELECT told_by FROM pg_snapshot_xip(snapshot) AS told_by
        WHERE pg_visible_in_snapshot(told_by, pg_current_snapshot()) ORDER BY told_by LIMIT 1)) AS since
      FROM (SELECT ${given(({ picture }: Look) => picture.snapshot)}::pg_snapshot AS snapshot) AS seen
      WHERE ${ROUND}::bigint = (SELECT dispatch_round FROM queues WHERE name = ${QUEUE})
        AND ${given(({ picture }: Look) => picture.seenAt)}::timestamptz > now() - ${PICTURE_MAX_AGE_MS} * interval '1 ms'
        AND EXISTS (SELECT FROM told_since WHERE is_only_row AND epoch = ${given(({ picture }: Look) => picture.epoch)})
    ),
    arrived AS MATERIALIZED (
      SELECT ${LINE}, since AS placed_by, sum(of_tenant.jobs)::bigint AS jobs FROM untold CROSS JOIN LATERAL (
        SELECT * FROM arrivals WHERE ${isUntold()} OFFSET 0) AS told
      CROSS JOIN LATERAL unnest(told.tenant_ids, told.jobs) AS of_tenant (tenant_id, jobs)
      GROUP BY ${LINE}, since
    ),
    landed AS MATERIALIZED (
      SELECT told.* FROM untold CROSS JOIN LATERAL (SELECT * FROM landings WHERE ${isUntold()} OFFSET 0) AS told
    )`;
}

/** Builds `marked`: all that has arrived, if it may go at once. */
function takeAllThatFits() {
  const isInLine = sql`r.queue = ${QUEUE} AND ${IN_ORDER} AND r.tenant_id = line.tenant_id AND r.type = line.type
    AND r.refused_by = line.refused_by AND r.priority = line.priority AND r.is_new = line.is_new
    AND r.is_keyed = line.is_keyed`;
  return sql`
    turn AS (
      UPDATE queues SET dispatch_round = dispatch_round + 1
      WHERE name = ${QUEUE} AND dispatch_round = ${ROUND}::bigint AND (
        SELECT sum(jobs) <= ${given(({ atOnce }: Look) => atOnce.jobs)}::bigint AND NOT bool_or(is_keyed)
          AND bool_and(refused_by = '{}' AND type = ANY(${given(({ atOnce }: Look) => atOnce.types)}::text[]) AND (
            SELECT true FROM tenants
            WHERE id = tenant_id AND (paused_at IS NOT NULL OR concurrency IS NOT NULL)) IS NOT TRUE)
        FROM arrived)
      RETURNING name
    ),
    heads AS MATERIALIZED (
      SELECT head.* FROM turn CROSS JOIN arrived AS line CROSS JOIN LATERAL (
        SELECT r.tenant_id, r.job_id, r.priority, r.is_new, r.placed_by FROM ready r
        WHERE ${isInLine} AND r.placed_by >= line.placed_by
        ORDER BY r.placed_by, r.job_id LIMIT line.jobs) AS head
    ),
    ${moveToFlight(sql`SELECT tenant_id, job_id, ${given(({ atOnce }: Look) => atOnce.buildId)}::text FROM heads`)}`;
}
