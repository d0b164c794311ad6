import { type Kysely, sql } from 'kysely';

/**
 * Leads from a job to the deliveries of its webhook, which are jobs themselves. A table of its own: an index of `jobs` would
 * cost every job, with a webhook or without, a lock and a look in each week.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const OWN = `tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid`;

const statements = [
  `CREATE TABLE webhook_deliveries (
     job_id uuid NOT NULL,
     delivery_id uuid NOT NULL,
     tenant_id uuid NOT NULL,
     event text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, delivery_id)
   )`,
  'CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at)',
  'ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY',
  `CREATE POLICY tenant_isolation ON webhook_deliveries TO accepted_tenant USING (${OWN})`,
  'GRANT SELECT, INSERT ON webhook_deliveries TO accepted_tenant',
];
