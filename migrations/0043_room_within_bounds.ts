import { type Kysely, sql } from 'kysely';

/**
 * Answers which of the jobs that are to be written do not fit within the bounds of their tenants and queues, in the order in which they are
 * given. Whoever asks under the same name of a bound waits until the one before has committed, and sees what it wrote: each query of a function
 * that is VOLATILE has a snapshot of its own. `unknown`: the live jobs have not been counted since the sums were lost.
 */
const JOBS_WITHOUT_ROOM = `
  CREATE FUNCTION jobs_without_room(bounds text[], ids uuid[], tenant_ids uuid[], queue_names text[])
  RETURNS TABLE (job_id uuid, bound text, jobs bigint, most integer) LANGUAGE plpgsql VOLATILE AS $$
  #variable_conflict use_column
  DECLARE bound_name text;
  BEGIN
    FOREACH bound_name IN ARRAY bounds LOOP
      PERFORM pg_advisory_xact_lock(hashtextextended(bound_name, 0));
    END LOOP;
    IF NOT EXISTS (SELECT FROM backlogs_counted WHERE is_only_row) THEN
      RETURN QUERY SELECT id, 'unknown', 0::bigint, 0 FROM unnest(ids) AS asked (id);
      RETURN;
    END IF;
    RETURN QUERY
    WITH told AS MATERIALIZED (
      SELECT queue, tenant_id, sum(change.jobs) AS jobs
      FROM backlog_changes CROSS JOIN LATERAL unnest(tenant_ids, backlog_changes.jobs) AS change (tenant_id, jobs)
      WHERE told_by >= (SELECT told_since FROM backlogs_counted WHERE is_only_row)
      GROUP BY queue, tenant_id
    ),
    of_tenants AS MATERIALIZED (
      SELECT tenant_id, queue, sum(jobs)::bigint AS jobs FROM (
        SELECT tenant_id, queue, jobs FROM backlogs WHERE tenant_id = ANY (tenant_ids)
        UNION ALL SELECT tenant_id, queue, jobs FROM told WHERE tenant_id = ANY (tenant_ids)) AS counted
      GROUP BY tenant_id, queue
    ),
    of_queues AS MATERIALIZED (
      SELECT name, max_backlog, max_backlog_per_tenant,
        (coalesce((SELECT jobs FROM backlogs WHERE tenant_id = '00000000-0000-0000-0000-000000000000' AND queue = name), 0)
        + coalesce((SELECT sum(jobs) FROM told WHERE queue = name), 0))::bigint AS jobs
      FROM queues WHERE name = ANY (queue_names)
    ),
    asked AS (
      SELECT * FROM unnest(ids, tenant_ids, queue_names) WITH ORDINALITY AS asked (id, tenant_id, queue, place)
    ),
    within_queue AS MATERIALIZED (
      SELECT id, asked.tenant_id, asked.queue, place, 'tenant_in_queue' AS bound, coalesce(of_tenants.jobs, 0) AS jobs,
        max_backlog_per_tenant AS most, row_number() OVER (PARTITION BY asked.tenant_id, asked.queue ORDER BY place) AS nth
      FROM asked LEFT JOIN of_queues ON name = asked.queue
      LEFT JOIN of_tenants ON of_tenants.tenant_id = asked.tenant_id AND of_tenants.queue = asked.queue
    ),
    within_tenant AS MATERIALIZED (
      SELECT asked.id, asked.tenant_id, asked.queue, place, 'tenant' AS bound,
        coalesce((SELECT sum(jobs) FROM of_tenants WHERE of_tenants.tenant_id = asked.tenant_id AND queue <> 'webhooks'), 0)::bigint AS jobs,
        max_backlog AS most, row_number() OVER (PARTITION BY asked.tenant_id ORDER BY place) AS nth
      FROM within_queue AS asked LEFT JOIN tenants ON tenants.id = asked.tenant_id
      WHERE most IS NULL OR jobs + nth <= most
    ),
    within_all AS (
      SELECT id, bound, jobs, most, nth FROM within_queue
      UNION ALL SELECT id, bound, jobs, most, nth FROM within_tenant
      UNION ALL SELECT id, 'queue', of_queues.jobs, max_backlog, row_number() OVER (PARTITION BY name ORDER BY place)
        FROM within_tenant JOIN of_queues ON name = queue
        WHERE most IS NULL OR within_tenant.jobs + nth <= most
    )
    SELECT id, bound, greatest(jobs, most), most FROM within_all WHERE jobs + nth > most;
  END $$`;

/** Has whoever writes jobs count again where a bound is near, in the statement that writes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(JOBS_WITHOUT_ROOM).execute(db);
}
