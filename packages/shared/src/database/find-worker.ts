import { sql } from 'kysely';
import type { Database } from './connect.ts';

/** Tells whether the process `pid` of this host has registered its job types and holds a lease. */
export async function isWorkerRegistered(db: Database, hostname: string, pid: number): Promise<boolean> {
  const worker = await db
    .selectFrom('workers')
    .select('id')
    .where('hostname', '=', hostname)
    .where('pid', '=', pid)
    .where('lost_at', 'is', null)
    // An earlier process may have had the same pid and left its row.
    .where('heartbeat_at', '>', sql<Date>`now() - interval '10 s'`)
    .executeTakeFirst();
  return worker !== undefined;
}
