import { sql } from 'kysely';
import type { Database } from './connect.ts';

/** Asks Postgres for a sign of life; rejects when it gives none. */
export async function pingDatabase(db: Database): Promise<void> {
  await sql`SELECT 1`.execute(db);
}
