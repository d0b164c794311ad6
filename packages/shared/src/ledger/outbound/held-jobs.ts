import { sql } from 'kysely';
import type { BreakerTarget } from '../../core/outbound/breaker-target.ts';
import { DELIVERY_QUEUE, DELIVERY_TYPE, serverKey } from '../../core/webhook/event.ts';
import type { Database } from '../connection/connect.ts';
import { isJobAt } from '../connection/unnest.ts';
import { CARRIED, carriedFrom, IN_ORDER } from '../jobs/hot-rows.ts';

/** Makes up to `limit` jobs due that a breaker held, as it is closed; answers how many, and in which queues. */
export async function letHeldJobsGo(
  db: Database,
  breakerId: string,
  limit: number,
): Promise<{ jobs: number; queues: string[] }> {
  const { rows } = await sql<{ queue: string; jobs: number }>`
    /* let-held-jobs-go */ WITH freed AS (
      UPDATE due SET held_by = NULL, run_at = least(run_at, now()), version = version + 1
      WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM due WHERE held_by = ${breakerId} LIMIT ${limit} FOR UPDATE SKIP LOCKED))
      RETURNING queue)
    SELECT queue, count(*)::int AS jobs FROM freed GROUP BY queue`.execute(db);
  return { jobs: rows.reduce((sum, { jobs }) => sum + jobs, 0), queues: rows.map(({ queue }) => queue) };
}

/** In which line those come back that a breaker holds. */
export interface HeldLine {
  /** How many stand in it already. */
  standing: number;
  perSecond: number;
  mostSeconds: number;
}

/**
 * Has webhooks wait for a breaker that is not closed which wait for the slots of their server: of the first `limit` in their line
 * those to its endpoint, and whose payload nobody has edited. Answers how many. One by one each would be dispatched and claimed for it.
 */
export async function holdWaitingWebhooks(
  db: Database,
  { id, tenantId, target }: Pick<BreakerTarget, 'id' | 'tenantId' | 'target'>,
  { line, limit }: { line: HeldLine; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`
    /* hold-webhooks */ WITH breaker AS (SELECT id, open_until FROM breakers WHERE id = ${id} FOR KEY SHARE),
    waiting AS MATERIALIZED (
      SELECT waiting.* FROM breaker CROSS JOIN LATERAL (
        SELECT tenant_id, job_id FROM blocked
        WHERE queue = ${DELIVERY_QUEUE} AND ${IN_ORDER} AND tenant_id = ${tenantId} AND concurrency_key = ${serverKey(target)}
          AND type = ${DELIVERY_TYPE} AND revision = 0
        LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS waiting
    ),
    meant AS MATERIALIZED (
      SELECT waiting.* FROM waiting JOIN jobs ON ${isJobAt('jobs', 'waiting')}
      WHERE split_part(split_part(payload ->> 'url', '#', 1), '?', 1) = ${target}
    ),
    moved AS (
      DELETE FROM blocked USING meant WHERE ${isJobAt('blocked', 'meant')} RETURNING ${carriedFrom('blocked')}
    )
    INSERT INTO due (${CARRIED}, status, held_by)
    SELECT ${carriedFrom('moved', {
      version: sql`moved.version + 1`,
      run_at: sql`greatest(now(), open_until) + make_interval(secs => least(${line.mostSeconds}::float8,
        (${line.standing}::float8 + row_number() OVER ()) / ${line.perSecond}::float8))`,
    })}, 'scheduled', id FROM moved CROSS JOIN breaker`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
