import { type RawBuilder, sql } from 'kysely';
import type { WorkPace } from '../../core/overload/slowness.ts';
import type { Database } from '../connection/connect.ts';
import { steadyGap } from './workers.ts';

/** The lock of those who mark themselves (`pg_advisory_xact_lock`). */
const MARKING = 1_936_486_263;

/**
 * Builds whether a row of `workers` is one that others can spare: of each of its types, with the same schema, more of them take all jobs
 * than rest as slow. So no more than half of those that have a type rest, and never the last one.
 */
export function othersSuffice(heartbeatMs: number): RawBuilder<boolean> {
  return sql<boolean>`NOT EXISTS (
    WITH others AS (
      SELECT build_id,
        count(*) FILTER (WHERE slow_since IS NULL) - count(*) FILTER (WHERE slow_since IS NOT NULL) AS spare
      FROM workers AS other
      WHERE other.id <> workers.id AND lost_at IS NULL AND draining_at IS NULL
        AND heartbeat_at >= now() - ${steadyGap(heartbeatMs)}
      GROUP BY build_id
    )
    SELECT FROM build_types AS own
    LEFT JOIN (build_types AS theirs JOIN others USING (build_id))
      ON theirs.type = own.type AND theirs.schema_id = own.schema_id AND theirs.queue = own.queue
    WHERE own.build_id = workers.build_id
    GROUP BY own.type HAVING coalesce(sum(others.spare), 0) < 1)`;
}

/**
 * Marks a worker that has found itself slow: dispatchers count on it no more. Answers whether it was marked; it is not where others cannot
 * spare it. Those who ask at the same time do so one after the other, and each sees what became of the one before: its statement begins
 * when it has the lock.
 */
export async function markSlow(db: Database, workerId: string, heartbeatMs: number): Promise<boolean> {
  return await db.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(${sql.lit(MARKING)})`.execute(tx);
    const { numAffectedRows } = await sql`
      /* mark-slow */ UPDATE workers SET slow_since = now()
      WHERE id = ${workerId} AND lost_at IS NULL AND draining_at IS NULL AND slow_since IS NULL
        AND ${othersSuffice(heartbeatMs)}`.execute(tx);
    return numAffectedRows === 1n;
  });
}

/** So many others are enough to tell what is usual, and each heartbeat costs the same however many there are. */
const MOST_OTHERS = 16;

/** Builds how others are that have run these types, those whose ids come next: a list of `WorkPace`. */
export function othersPace(
  workerId: string,
  types: readonly string[],
  heartbeatMs: number,
): RawBuilder<WorkPace[]> {
  return sql<WorkPace[]>`(SELECT coalesce(json_agg(pace), '[]') FROM (
    SELECT handler_ms AS "handlerMs", loop_late_ms AS "loopLateMs" FROM workers AS other
    WHERE other.id <> ${workerId} AND handler_ms ?| ${types}::text[] AND lost_at IS NULL AND draining_at IS NULL
      AND slow_since IS NULL AND heartbeat_at >= now() - ${steadyGap(heartbeatMs)}
    ORDER BY other.id > ${workerId} DESC, other.id LIMIT ${sql.lit(MOST_OTHERS)}) AS pace)`;
}
