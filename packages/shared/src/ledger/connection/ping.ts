import { sql } from 'kysely';
import type { Database } from './connect.ts';
import { REQUIRE_WRITABLE } from './writable.ts';

/** Asks Postgres for a sign of life; rejects when it gives none, or takes no writes. */
export async function pingDatabase(db: Database): Promise<void> {
  await sql.raw(REQUIRE_WRITABLE).execute(db);
}
