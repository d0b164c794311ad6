import { type Kysely, sql } from 'kysely';

/** A worker of before would make and drop weeks of jobs without those of their tags. */
export const major = 4;

/**
 * Lets jobs be listed by a tag. An index on the array would not do: where rows are hidden from a tenant, Postgres takes no
 * index for an operator that is not known to keep secrets, and for arrays there is none that is.
 *
 * A job without tags, as most are, costs a look at its row.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows: weeks } = await sql<{ name: string; bound: string }>`
    SELECT relname AS name, pg_get_expr(relpartbound, pg_class.oid) AS bound
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'jobs'::regclass`.execute(db);
  const statements = [
    // Nobody accepts a job whose tags are then in neither.
    'LOCK TABLE jobs IN SHARE MODE',
    `CREATE TABLE job_tags (
       tenant_id uuid NOT NULL,
       tag text NOT NULL,
       job_id uuid NOT NULL,
       PRIMARY KEY (tenant_id, tag, job_id)
     ) PARTITION BY RANGE (job_id)`,
    ...weeks.map(
      ({ name, bound }) => `CREATE TABLE ${name.replace('jobs', 'job_tags')} PARTITION OF job_tags ${bound}`,
    ),
    `INSERT INTO job_tags (tenant_id, tag, job_id)
     SELECT tenant_id, tag, id FROM jobs CROSS JOIN jsonb_array_elements_text(tags) AS tag WHERE tags <> '[]'`,
    'ALTER TABLE job_tags ENABLE ROW LEVEL SECURITY',
    `CREATE POLICY tenant_isolation ON job_tags TO accepted_tenant
       USING (tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid)`,
    'GRANT SELECT, INSERT ON job_tags TO accepted_tenant',
    `CREATE FUNCTION write_job_tags() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
       BEGIN
         INSERT INTO job_tags (tenant_id, tag, job_id)
         SELECT NEW.tenant_id, tag, NEW.id FROM jsonb_array_elements_text(NEW.tags) AS tag;
         RETURN NULL;
       END $$`,
    `CREATE TRIGGER write_job_tags AFTER INSERT ON jobs
       FOR EACH ROW WHEN (NEW.tags <> '[]') EXECUTE FUNCTION write_job_tags()`,
    'ANALYZE job_tags',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
