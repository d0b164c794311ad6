import { type Kysely, sql } from 'kysely';

/**
 * Keeps circuit breakers that are open, so that all workers know, and one of them tries whether what is called answers again. A job
 * that is held meanwhile is due when it comes back, and says which one holds it, so that all of them can go once that is closed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `CREATE TABLE breakers (
     id text COLLATE "C" PRIMARY KEY,
     tenant_id uuid NOT NULL,
     type text NOT NULL,
     target text NOT NULL,
     error_code text NOT NULL,
     openings integer NOT NULL DEFAULT 1,
     opened_at timestamptz NOT NULL DEFAULT now(),
     open_until timestamptz NOT NULL,
     tried_until timestamptz
   ) WITH (fillfactor = 50)`,
  'CREATE INDEX breakers_of_tenants ON breakers (tenant_id, opened_at)',
  'CREATE INDEX breakers_by_age ON breakers (open_until)',
  'ALTER TABLE breakers ENABLE ROW LEVEL SECURITY',
  `CREATE POLICY tenant_isolation ON breakers TO accepted_tenant
     USING (tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid)`,
  'GRANT SELECT ON breakers TO accepted_tenant',
  'ALTER TABLE due ADD COLUMN held_by text COLLATE "C"',
  'CREATE INDEX due_held ON due (held_by) WHERE held_by IS NOT NULL',
];
