import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/**
 * Forgets what transactions before `txid` have told of movements; without one, nothing. Answers up to where to forget the
 * next time: whoever asks again only after `PICTURE_MAX_AGE_MS` forgets nothing that a picture that is still good lacks.
 */
export async function forgetMovements(db: Database, txid: string | undefined): Promise<string> {
  if (txid !== undefined) {
    // Each index begins with the queue.
    const isOld = sql`queue = ANY (ARRAY(SELECT name FROM queues)) AND told_by < ${txid}::xid8`;
    await sql`DELETE FROM arrivals WHERE ${isOld}`.execute(db);
    await sql`DELETE FROM flight_changes WHERE ${isOld}`.execute(db);
  }
  const { rows } = await sql<{ txid: string }>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS txid`.execute(db);
  return rows[0]?.txid ?? '0';
}
