import { type Kysely, sql } from 'kysely';
import { currentJobs } from './0018_current_jobs.ts';

/** Programs of before would miss jobs that are `blocked`. */
export const major = 6;

/**
 * Has a turn of a dispatcher cost what it takes. What is told of arrivals and landings says how many jobs came, and how long those
 * ran that went, so that whoever is next is chosen without a look at the queue. A job whose turn comes while its concurrency
 * key is full leaves `ready` for `blocked`, where nobody steps over it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    ...FAIR_ORDER,
    ...READY,
    ...BLOCKED,
    ...[
      'DROP VIEW current_jobs',
      currentJobs(['ready', 'blocked']),
      'GRANT SELECT ON current_jobs TO accepted_tenant',
    ],
    ...TOLD,
    // All pictures are of what was told before.
    'DELETE FROM told_since',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const OFTEN = 'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000';

const FAIR_ORDER = [
  'ALTER TABLE tenants ADD COLUMN weight real NOT NULL DEFAULT 1 CHECK (weight > 0)',
  'ALTER TABLE queues ADD COLUMN present_pass float8 NOT NULL DEFAULT 0',
  `CREATE TABLE passes (
     queue text NOT NULL,
     tenant_id uuid NOT NULL,
     pass float8 NOT NULL,
     PRIMARY KEY (queue, tenant_id)
   ) WITH (fillfactor = 50, ${OFTEN})`,
];

/** Jobs with keys stand in lines of their own: only who takes those has to look who has their slots. */
const READY = [
  'ALTER TABLE ready ADD COLUMN is_keyed boolean NOT NULL GENERATED ALWAYS AS (concurrency_key IS NOT NULL) STORED',
  'DROP INDEX ready_in_order',
  `CREATE INDEX ready_in_order ON ready (queue, tenant_id, type, refused_by, priority, is_new, is_keyed, placed_by, job_id)
     WHERE CASE WHEN attempt >= 0 THEN true ELSE false END`,
];

/** What a job takes along from table to table. */
const CARRIED_TYPES = `
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  run_at timestamptz NOT NULL,
  expires_at timestamptz,
  placed_by xid8 NOT NULL,
  version integer NOT NULL,
  attempt integer NOT NULL,
  attempts_made integer NOT NULL,
  replay_round integer NOT NULL,
  dispatch_no integer NOT NULL,
  revision integer NOT NULL,
  concurrency_limit integer,
  priority smallint NOT NULL,
  losses smallint NOT NULL,
  suspect boolean NOT NULL,
  has_followers boolean NOT NULL,
  is_new boolean NOT NULL GENERATED ALWAYS AS (dispatch_no = 0) STORED,
  queue text NOT NULL,
  type text NOT NULL,
  concurrency_key text NOT NULL,
  traceparent text,
  refused_by text[] NOT NULL`;

/** In the order in which they stood in `ready`: who was before another there is before it here. */
const BLOCKED = [
  `CREATE TABLE blocked (${CARRIED_TYPES}, PRIMARY KEY (tenant_id, job_id))
     WITH (autovacuum_vacuum_cost_delay = 0, ${OFTEN})`,
  `CREATE INDEX blocked_in_order
     ON blocked (queue, tenant_id, concurrency_key, type, refused_by, priority, is_new, placed_by, job_id)`,
  'CREATE INDEX blocked_expiring ON blocked (expires_at) WHERE expires_at IS NOT NULL AND attempt = 0',
  'ALTER TABLE blocked ENABLE ROW LEVEL SECURITY',
  `CREATE POLICY tenant_isolation ON blocked TO accepted_tenant
     USING (tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid)`,
  'GRANT SELECT, INSERT, UPDATE, DELETE ON blocked TO accepted_tenant',
  // Who has the slots of a key.
  'CREATE INDEX in_flight_by_key ON in_flight (tenant_id, concurrency_key) WHERE concurrency_key IS NOT NULL',
];

/** A row tells of all tenants of a statement: with a row for each, telling of a job cost half as much as moving it. */
const TOLD = [
  'DROP TABLE arrivals, landings',
  `CREATE UNLOGGED TABLE arrivals (
     queue text NOT NULL,
     told_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
     type text NOT NULL,
     refused_by text[] NOT NULL,
     priority smallint NOT NULL,
     is_new boolean NOT NULL,
     is_keyed boolean NOT NULL,
     tenant_ids uuid[] NOT NULL,
     jobs bigint[] NOT NULL
   ) WITH (${OFTEN})`,
  'CREATE INDEX arrivals_of_queue ON arrivals (queue, told_by)',
  `CREATE UNLOGGED TABLE landings (
     queue text NOT NULL,
     told_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
     type text NOT NULL,
     build_id text,
     tenant_ids uuid[] NOT NULL,
     concurrency_keys text[] NOT NULL,
     jobs bigint[] NOT NULL,
     started bigint[] NOT NULL,
     ran_ms float8[] NOT NULL
   ) WITH (${OFTEN})`,
  'CREATE INDEX landings_of_queue ON landings (queue, told_by)',
  // Tenants write through the triggers, and have no rights on what is told of all of them.
  `CREATE OR REPLACE FUNCTION tell_ready_insert() RETURNS trigger
   LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
     BEGIN
       INSERT INTO arrivals (queue, type, refused_by, priority, is_new, is_keyed, tenant_ids, jobs)
       SELECT queue, type, refused_by, priority, is_new, is_keyed, array_agg(tenant_id), array_agg(jobs)
       FROM (
         SELECT queue, tenant_id, type, refused_by, priority, is_new, is_keyed, count(*) AS jobs FROM placed
         GROUP BY queue, tenant_id, type, refused_by, priority, is_new, is_keyed) AS line
       GROUP BY queue, type, refused_by, priority, is_new, is_keyed;
       RETURN NULL;
     END $$`,
  `CREATE OR REPLACE FUNCTION tell_landings() RETURNS trigger
   LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
     DECLARE
       -- Who records outcomes knows how long their handlers ran; else the time from the claim counts.
       ran jsonb := coalesce(nullif(current_setting('accepted.ran_ms', true), ''), '{}');
     BEGIN
       INSERT INTO landings (queue, type, build_id, tenant_ids, concurrency_keys, jobs, started, ran_ms)
       SELECT queue, type, build_id, array_agg(tenant_id), array_agg(concurrency_key), array_agg(jobs), array_agg(started),
         array_agg(ran_ms)
       FROM (
         SELECT queue, tenant_id, type, concurrency_key, build_id, count(*) AS jobs, count(started_at) AS started,
           coalesce(sum(coalesce((ran ->> job_id::text)::float8, extract(epoch FROM now() - started_at) * 1000)), 0)::float8 AS ran_ms
         FROM landed GROUP BY queue, tenant_id, type, concurrency_key, build_id) AS flight
       GROUP BY queue, type, build_id;
       RETURN NULL;
     END $$`,
];
