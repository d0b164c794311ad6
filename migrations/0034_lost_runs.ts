import { type Kysely, sql } from 'kysely';

/**
 * Lets an attempt of which nobody knows how long it ran, as one that was lost with its worker, count for nothing: how long its lease took
 * to end says nothing of its type, and is no service that its tenant has had. Workers of before, who tell nothing, are counted by
 * the time from the claim. What 0026 made stands there as it was: a function is replaced whole.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`CREATE OR REPLACE FUNCTION tell_landings() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
        DECLARE
          ran jsonb := coalesce(nullif(current_setting('accepted.ran_ms', true), ''), '{}');
        BEGIN
          INSERT INTO landings (queue, type, build_id, tenant_ids, concurrency_keys, jobs, started, ran_ms)
          SELECT queue, type, build_id, array_agg(tenant_id), array_agg(concurrency_key), array_agg(jobs), array_agg(started),
            array_agg(ran_ms)
          FROM (
            SELECT queue, tenant_id, type, concurrency_key, build_id, count(*) AS jobs,
              count(started_at) FILTER (WHERE is_known) AS started,
              coalesce(sum(coalesce(told_ms, extract(epoch FROM now() - started_at) * 1000)) FILTER (WHERE is_known), 0)::float8
                AS ran_ms
            FROM (
              SELECT *, jsonb_typeof(ran -> job_id::text) IS DISTINCT FROM 'null' AS is_known,
                (ran ->> job_id::text)::float8 AS told_ms
              FROM landed) AS attempt
            GROUP BY queue, tenant_id, type, concurrency_key, build_id) AS flight
          GROUP BY queue, type, build_id;
          RETURN NULL;
        END $$`)
    .execute(db);
}
