import { type Kysely, sql } from 'kysely';

/** A dispatcher of before would wait for what is told no more. */
export const major = 5;

/**
 * Tells a dispatcher of what has left flight alone: since a queue has one, it knows what it has put there, and a claim changes
 * nothing of what it counts. That was half of what triggers cost a job.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    ...['insert', 'delete', 'update'].flatMap((event) => [
      `DROP TRIGGER tell_in_flight_${event} ON in_flight`,
      `DROP FUNCTION tell_in_flight_${event}()`,
    ]),
    'DROP TABLE flight_changes',
    `CREATE UNLOGGED TABLE landings (
       queue text NOT NULL,
       told_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
       tenant_id uuid NOT NULL,
       type text NOT NULL,
       concurrency_key text,
       build_id text,
       jobs bigint NOT NULL
     ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
    'CREATE INDEX landings_of_queue ON landings (queue, told_by)',
    // Tenants write through the trigger, and have no rights on what is told of all of them.
    `CREATE FUNCTION tell_landings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
       BEGIN
         INSERT INTO landings (queue, tenant_id, type, concurrency_key, build_id, jobs)
         SELECT queue, tenant_id, type, concurrency_key, build_id, count(*) FROM landed
         GROUP BY queue, tenant_id, type, concurrency_key, build_id;
         RETURN NULL;
       END $$`,
    `CREATE TRIGGER tell_landings AFTER DELETE ON in_flight REFERENCING OLD TABLE AS landed
       FOR EACH STATEMENT EXECUTE FUNCTION tell_landings()`,
    // All pictures are of what was told before.
    'DELETE FROM told_since',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
