import { type Kysely, sql } from 'kysely';

/**
 * Shows to what runs on behalf of a tenant that tenant's rows alone (row-level security), whatever it asks for.
 *
 * No policy holds for owners and superusers, so such statements run under the role `accepted_tenant`, which may do what
 * is granted here and no more. Whose rows it sees is told by the setting `accepted.tenant_id`; without it there are none.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...ROLE, ...ISOLATION]) await sql.raw(statement).execute(db);
}

/**
 * Roles belong to the whole server, so the migration of another database may create this one at the same moment, and
 * no advisory lock reaches that far. Since PostgreSQL 16 the creator of a role may not yet act under it.
 */
const ROLE = [
  `DO $$
   BEGIN
     BEGIN
       IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'accepted_tenant') THEN
         CREATE ROLE accepted_tenant NOLOGIN;
       END IF;
     EXCEPTION WHEN duplicate_object OR unique_violation THEN
       -- Only a lock that it does not hold yet makes a transaction learn of a role that others have just committed.
       LOCK TABLE pg_catalog.pg_ts_template IN ACCESS SHARE MODE;
     END;
     BEGIN
       SET LOCAL ROLE accepted_tenant;
       RESET ROLE;
     EXCEPTION WHEN insufficient_privilege THEN
       EXECUTE format('GRANT accepted_tenant TO %I', session_user);
     END;
   EXCEPTION WHEN insufficient_privilege THEN
     RAISE EXCEPTION 'The database user % may not set up the role accepted_tenant. Let a superuser run "CREATE ROLE accepted_tenant NOLOGIN" and "GRANT accepted_tenant TO %", then migrate again.',
       session_user, quote_ident(session_user)
       USING ERRCODE = 'insufficient_privilege';
   END $$`,
  `DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO accepted_tenant', current_schema()); END $$`,
  `GRANT SELECT ON queues, job_types TO accepted_tenant`,
];

const OWN = `tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid`;

const ISOLATION = [
  ...isolate('tenants', 'SELECT (id, name, created_at)', OWN.replace('tenant_id', 'id')),
  ...isolate('api_keys', 'SELECT, INSERT, UPDATE', OWN),
  ...isolate('jobs', 'SELECT, INSERT, UPDATE', OWN),
  ...isolate('idempotency_keys', 'SELECT, INSERT, UPDATE', OWN),
  // The policy of jobs holds in this subquery too.
  ...isolate('attempts', 'SELECT', 'EXISTS (SELECT FROM jobs WHERE jobs.id = attempts.job_id)'),
  ...isolate('dead_letters', 'SELECT, UPDATE', OWN),
  ...isolate('payload_edits', 'SELECT, INSERT', OWN),
  ...isolate('bulk_replays', 'SELECT, INSERT, UPDATE', OWN),
  ...isolate('bulk_replay_items', 'SELECT, INSERT, UPDATE', OWN),
  ...isolate('audit_log', 'SELECT, INSERT', OWN),
];

function isolate(table: string, granted: string, condition: string): string[] {
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant_isolation ON ${table} TO accepted_tenant USING (${condition})`,
    `GRANT ${granted} ON ${table} TO accepted_tenant`,
  ];
}
