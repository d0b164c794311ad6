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
    ...TAKE_KEYED_JOBS,
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

const CARRIED = `tenant_id, job_id, run_at, expires_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
  concurrency_limit, priority, losses, suspect, has_followers, queue, type, concurrency_key, traceparent, refused_by`;

const carriedFrom = (table: string) =>
  CARRIED.split(',')
    .map((name) => `${table}.${name.trim()}`)
    .join(', ');

/** So many jobs more than may go are looked at, all lines together, so that many which find their key full are soon out of the way. */
const LOOKS_AHEAD = 200;
/** Names the locks of keys among those that `pg_advisory_xact_lock(int, int)` knows. */
const KEY_LOCK = 1_801_812_339;

const ASKED = `json_to_recordset(asked_lines) AS asked (no integer, "tenantId" uuid, type text, "refusedBy" text[],
  priority smallint, "isNew" boolean, "blockedBy" text, "placedBy" xid8, builds text[])`;

const ONE_LINE = `tenant_id = asked."tenantId" AND type = asked.type AND refused_by = asked."refusedBy"
  AND priority = asked.priority AND is_new = asked."isNew" AND placed_by >= asked."placedBy"`;

const HEAD = `tenant_id, job_id, type, concurrency_key, concurrency_limit, priority, is_new, placed_by`;

/** Those of a line that may go, and some more of those that were not looked at yet. */
const CANDIDATES = `
  SELECT coalesce(json_agg(candidate), '[]') FROM (
    SELECT asked.no, asked."blockedBy" IS NOT NULL AS is_blocked, head.*,
      row_number() OVER (PARTITION BY asked.no ORDER BY head.placed_by, head.job_id) AS place
    FROM ${ASKED} CROSS JOIN LATERAL (
      (SELECT ${HEAD} FROM ready
       WHERE asked."blockedBy" IS NULL AND queue = of_queue AND CASE WHEN attempt >= 0 THEN true ELSE false END
         AND is_keyed AND ${ONE_LINE}
       ORDER BY placed_by, job_id LIMIT cardinality(asked.builds) + looks_ahead)
      UNION ALL
      (SELECT ${HEAD} FROM blocked
       WHERE queue = of_queue AND concurrency_key = asked."blockedBy" AND ${ONE_LINE}
       ORDER BY placed_by, job_id LIMIT cardinality(asked.builds))) AS head) AS candidate`;

const CANDIDATE = `json_to_recordset(candidates) AS candidate (no integer, is_blocked boolean, tenant_id uuid, job_id uuid, type text,
  concurrency_key text, concurrency_limit integer, priority smallint, is_new boolean, placed_by xid8, place integer)`;

const MOVED = 'judged.build_id, judged.no';

/**
 * A slot of a key belongs to a job in flight, so there is no count of them that could be wrong: they are counted. Who gives one
 * away locks its key first, and counts in a statement of its own after that, whose snapshot shows all that was given away
 * before. Dispatchers of several queues may share a key; all lock in the same order.
 *
 * A key that has blocked jobs takes from those alone, so that nobody who comes later is before them.
 */
const TAKE_KEYED_JOBS = [
  `CREATE FUNCTION take_keyed_jobs(of_queue text, in_round bigint, asked_lines json, limits json) RETURNS json
   LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     looks_ahead integer := ${LOOKS_AHEAD} / greatest(1, json_array_length(asked_lines));
     candidates json;
     taken json;
   BEGIN
     UPDATE queues SET dispatch_round = dispatch_round + 1 WHERE name = of_queue AND dispatch_round = in_round;
     IF NOT FOUND THEN RETURN NULL; END IF;
     candidates := (${CANDIDATES});
     PERFORM pg_advisory_xact_lock(${KEY_LOCK}, lock) FROM (
       SELECT DISTINCT hashtext(tenant_id || concurrency_key) AS lock FROM ${CANDIDATE} ORDER BY lock) AS keys;
     WITH candidate AS MATERIALIZED (SELECT * FROM ${CANDIDATE}),
     key AS MATERIALIZED (
       SELECT tenant_id, concurrency_key, held.slots, held.elsewhere, (
         SELECT true FROM blocked WHERE queue = of_queue AND blocked.tenant_id = candidate.tenant_id
           AND blocked.concurrency_key = candidate.concurrency_key LIMIT 1) IS NOT NULL AS has_blocked
       FROM (SELECT DISTINCT tenant_id, concurrency_key FROM candidate) AS candidate CROSS JOIN LATERAL (
         SELECT count(*) AS slots, count(*) FILTER (WHERE queue <> of_queue) AS elsewhere FROM in_flight
         WHERE in_flight.tenant_id = candidate.tenant_id AND in_flight.concurrency_key = candidate.concurrency_key) AS held
     ),
     ranked AS MATERIALIZED (
       SELECT candidate.*, key.elsewhere, key.has_blocked AND NOT candidate.is_blocked AS is_behind,
         key.slots + row_number() OVER (PARTITION BY tenant_id, concurrency_key
           ORDER BY is_blocked DESC, priority, is_new, placed_by, job_id) > (
             CASE WHEN "limit".type IS NULL THEN concurrency_limit ELSE "limit"."limit" END) IS TRUE AS is_full
       FROM candidate JOIN key USING (tenant_id, concurrency_key)
       LEFT JOIN json_to_recordset(limits) AS "limit" (type text, "limit" integer) USING (type)
     ),
     judged AS MATERIALIZED (
       SELECT ranked.*, is_full OR is_behind AS waits, CASE WHEN NOT (is_full OR is_behind) THEN asked.builds[
         (row_number() OVER (PARTITION BY no, is_full OR is_behind ORDER BY place))::integer] END AS build_id
       FROM ranked JOIN ${ASKED} USING (no)
     ),
     from_ready AS (
       DELETE FROM ready USING judged
       WHERE NOT judged.is_blocked AND (judged.waits OR judged.build_id IS NOT NULL)
         AND ready.tenant_id = ANY (ARRAY[judged.tenant_id]) AND ready.job_id = judged.job_id
       RETURNING ${carriedFrom('ready')}, ready.placed_by, ${MOVED}
     ),
     from_blocked AS (
       DELETE FROM blocked USING judged
       WHERE judged.is_blocked AND judged.build_id IS NOT NULL
         AND blocked.tenant_id = ANY (ARRAY[judged.tenant_id]) AND blocked.job_id = judged.job_id
       RETURNING ${carriedFrom('blocked')}, blocked.placed_by, ${MOVED}
     ),
     marked AS (
       INSERT INTO in_flight (${CARRIED}, dispatched_at, build_id)
       SELECT ${carriedFrom('going').replace('going.dispatch_no', 'going.dispatch_no + 1')}, now(), build_id
       FROM (SELECT * FROM from_ready WHERE build_id IS NOT NULL UNION ALL SELECT * FROM from_blocked) AS going
       RETURNING job_id AS id, dispatch_no, tenant_id, type, concurrency_key, traceparent, build_id
     ),
     parked AS (
       INSERT INTO blocked (${CARRIED}, placed_by)
       SELECT ${CARRIED}, placed_by FROM from_ready WHERE build_id IS NULL
       RETURNING tenant_id, type, refused_by, priority, is_new, concurrency_key, placed_by
     ),
     found AS (
       SELECT no, coalesce(array_agg(job_id ORDER BY place) FILTER (WHERE build_id IS NOT NULL), '{}') AS ids,
         count(*) FILTER (WHERE build_id IS NOT NULL OR (waits AND NOT is_blocked)) AS left_it,
         coalesce(
           (array_agg(placed_by ORDER BY place) FILTER (WHERE build_id IS NULL AND (is_blocked OR NOT waits)))[1],
           (array_agg(placed_by ORDER BY place DESC))[1])::text AS placed_by,
         count(*) < cardinality(asked.builds) + CASE WHEN is_blocked THEN 0 ELSE looks_ahead END
           AND bool_and(build_id IS NOT NULL OR (waits AND NOT is_blocked)) AS is_empty
       FROM judged JOIN ${ASKED} USING (no) GROUP BY no, asked.builds, is_blocked
     )
     SELECT json_build_object('isTaken', true,
       'found', (SELECT coalesce(json_agg(json_build_object('no', no, 'ids', ids, 'left', left_it, 'placedBy', placed_by,
         'isEmpty', is_empty)), '[]') FROM found),
       'marked', (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'tenantId', tenant_id,
         'type', type, 'concurrencyKey', concurrency_key, 'traceparent', traceparent, 'buildId', build_id)), '[]') FROM marked),
       'blocked', (SELECT coalesce(json_agg(line), '[]') FROM (
         SELECT tenant_id AS "tenantId", type, refused_by AS "refusedBy", priority, is_new AS "isNew", true AS "isKeyed",
           concurrency_key AS "blockedBy", (array_agg(placed_by ORDER BY placed_by))[1]::text AS "placedBy", count(*) AS jobs
         FROM parked GROUP BY tenant_id, type, refused_by, priority, is_new, concurrency_key) AS line),
       'full', (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'concurrencyKey', concurrency_key,
         'isHeldElsewhere', elsewhere > 0)), '[]') FROM (
         SELECT DISTINCT tenant_id, concurrency_key, elsewhere FROM judged WHERE is_full) AS key))
     INTO taken;
     RETURN taken;
   END $$`,
];
