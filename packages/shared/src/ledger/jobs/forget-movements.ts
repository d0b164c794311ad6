import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** Answers the first transaction that may still be running: whatever is told from now on is told by it or later ones. */
export async function readOldestTransaction(db: Database): Promise<string> {
  const { rows } = await sql<{ txid: string }>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS txid`.execute(db);
  return rows[0]?.txid ?? '0';
}

/**
 * Forgets what transactions before `txid` have told of movements, up to `limit` rows of a kind; answers how many there were of
 * the kind that had most. Without a worker nobody does, and what accepts tell adds up.
 */
export async function forgetMovements(db: Database, txid: string, limit: number): Promise<number> {
  let most = 0;
  for (const table of ['arrivals', 'landings'] as const) {
    const { numAffectedRows } = await sql`
      DELETE FROM ${sql.table(table)} WHERE ctid = ANY (ARRAY(
        -- The index begins with the queue.
        SELECT ctid FROM ${sql.table(table)}
        WHERE queue = ANY (ARRAY(SELECT name FROM queues)) AND told_by < ${txid}::xid8 LIMIT ${limit}))`.execute(
      db,
    );
    most = Math.max(most, Number(numAffectedRows ?? 0n));
  }
  return most;
}
