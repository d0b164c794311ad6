import { type Kysely, sql } from 'kysely';

/**
 * Bounds how many jobs tenants and API keys may submit, by second and by day. API processes are lent tokens out of buckets that all of
 * them share. Whoever changes what a tenant may submit counts the edition up, by which processes see that they have to read it anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const rate =
    'ADD COLUMN rate_per_second real CHECK (rate_per_second > 0), ADD COLUMN burst integer CHECK (burst > 0)';
  const statements = [
    `ALTER TABLE tenants ${rate}, ADD COLUMN daily_quota integer CHECK (daily_quota >= 0)`,
    `ALTER TABLE api_keys ${rate}`,
    'CREATE INDEX tenants_rated ON tenants (id) WHERE rate_per_second IS NOT NULL OR daily_quota IS NOT NULL',
    // Its updates touch no index; it has a row for each tenant and key that has a rate, and one a day for each with a quota.
    `CREATE TABLE token_buckets (
       name text COLLATE "C" PRIMARY KEY,
       tokens float8 NOT NULL,
       capacity float8 NOT NULL,
       per_second float8 NOT NULL,
       lent integer NOT NULL,
       filled_at timestamptz NOT NULL
     ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
    `CREATE TABLE rates_edition (
       is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
       edition bigint NOT NULL
     ) WITH (fillfactor = 50)`,
    'INSERT INTO rates_edition (edition) VALUES (1)',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
