import { type Kysely, sql } from 'kysely';

/**
 * Says which schema the ledger has, so that a program that needs another one can tell before it does harm. The row is
 * kept by `packages/shared/src/ledger/connection/migrate.ts`, which knows what it runs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE schema_version (
      is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
      major integer NOT NULL,
      minor integer NOT NULL
    )`.execute(db);
}
