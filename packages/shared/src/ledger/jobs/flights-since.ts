import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { OF_QUEUE } from './hot-rows.ts';

/**
 * Answers the first transaction (`xid8`) that may have dispatched what is in flight, of all queues; none of before `since` has. It is
 * found by the index of each queue, from `since` on. A dispatch that the snapshot does not show belongs to a transaction that still runs.
 */
export async function readFlightsSince(db: Database, since: string): Promise<string> {
  const { rows } = await sql<{ txid: string }>`
    /* flights-since */ SELECT least(pg_snapshot_xmin(pg_current_snapshot()), (
      SELECT eldest.dispatched_by FROM queues CROSS JOIN LATERAL (
        SELECT dispatched_by FROM in_flight
        WHERE queue = queues.name AND ${OF_QUEUE} AND dispatched_by >= ${since}::xid8
        ORDER BY dispatched_by LIMIT 1) AS eldest
      ORDER BY eldest.dispatched_by LIMIT 1))::text AS txid`.execute(db);
  return rows[0]?.txid ?? since;
}
