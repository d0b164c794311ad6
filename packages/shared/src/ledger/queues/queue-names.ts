import type { Database } from '../connection/connect.ts';

/** Lists the names of all queues that a worker ever registered. */
export async function listQueueNames(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('queues').select('name').orderBy('name').execute();
  return rows.map((row) => row.name);
}
