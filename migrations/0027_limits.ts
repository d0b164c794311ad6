import { type Kysely, sql } from 'kysely';

/** Dispatchers of before would not know of limits and pauses. */
export const major = 7;

/**
 * Lets operators pause a queue, a job type or a tenant, and bound how many of its jobs are in flight; gives slots of keys, and
 * what is limited so, away.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `ALTER TABLE queues ${RULES}`,
    `ALTER TABLE tenants ${RULES}`,
    // All others are not looked at.
    'CREATE INDEX tenants_ruled ON tenants (id) WHERE paused_at IS NOT NULL OR concurrency IS NOT NULL OR weight <> 1',
    'CREATE TABLE job_type_rules (type text PRIMARY KEY)',
    `ALTER TABLE job_type_rules ${RULES}`,
    TAKE_LIMITED_JOBS,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const RULES = 'ADD COLUMN paused_at timestamptz, ADD COLUMN concurrency integer CHECK (concurrency > 0)';

const CARRIED = `tenant_id, job_id, run_at, expires_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
  concurrency_limit, priority, losses, suspect, has_followers, queue, type, concurrency_key, traceparent, refused_by`;

const carriedFrom = (table: string) =>
  CARRIED.split(',')
    .map((name) => `${table}.${name.trim()}`)
    .join(', ');

/** So many jobs more than may go are looked at, all lines together, so that many which find their key full are soon out of the way. */
const LOOKS_AHEAD = 200;
/** Names the locks of limits among those that `pg_advisory_xact_lock(int, int)` knows. */
const LIMIT_LOCK = 1_801_812_339;

const ASKED = `json_to_recordset(asked_lines) AS asked (no integer, "tenantId" uuid, type text, "refusedBy" text[],
  priority smallint, "isNew" boolean, "isKeyed" boolean, "blockedBy" text, "placedBy" xid8, builds text[], places integer[])`;

/** Means an index of which this is the predicate, and no other: it is dear where it has to be looked at. */
const meant = (predicate: string, column: string) =>
  `${predicate} AND (${predicate} OR dear_to_look_at(${column}))`;
/** Means the indexes by lines. */
const IN_ORDER = meant('CASE WHEN attempt >= 0 THEN true ELSE false END', 'attempt');
/** Means the index of `in_flight` that begins with the queue. */
const OF_QUEUE = meant('CASE WHEN priority >= 0 THEN true ELSE false END', 'priority');

const ONE_LINE = `tenant_id = asked."tenantId" AND type = asked.type AND refused_by = asked."refusedBy"
  AND priority = asked.priority AND is_new = asked."isNew" AND placed_by >= asked."placedBy"`;

const HEAD = `tenant_id, job_id, type, concurrency_key, concurrency_limit, priority, is_new, placed_by`;

/**
 * Those of a line that may go, and some more of those whose keys were not looked at yet. `turn` is the place of the former among all
 * that were chosen: who chose has seen to it that nobody starves.
 */
const CANDIDATES = `
  SELECT coalesce(json_agg(candidate), '[]') FROM (
    SELECT asked.no, asked."blockedBy" IS NOT NULL AS is_blocked, head.*,
      row_number() OVER in_line AS place, asked.places[(row_number() OVER in_line)::integer] AS turn
    FROM ${ASKED} CROSS JOIN LATERAL (
      (SELECT ${HEAD} FROM ready
       WHERE asked."blockedBy" IS NULL AND queue = of_queue AND ${IN_ORDER}
         AND is_keyed = asked."isKeyed" AND ${ONE_LINE}
       ORDER BY placed_by, job_id
       LIMIT cardinality(asked.builds) + CASE WHEN asked."isKeyed" THEN looks_ahead ELSE 0 END)
      UNION ALL
      (SELECT ${HEAD} FROM blocked
       WHERE queue = of_queue AND ${IN_ORDER} AND concurrency_key = asked."blockedBy" AND ${ONE_LINE}
       ORDER BY placed_by, job_id LIMIT cardinality(asked.builds))) AS head
    WINDOW in_line AS (PARTITION BY asked.no ORDER BY head.placed_by, head.job_id)) AS candidate`;

const CANDIDATE = `json_to_recordset(candidates) AS candidate (no integer, is_blocked boolean, tenant_id uuid, job_id uuid, type text,
  concurrency_key text, concurrency_limit integer, priority smallint, is_new boolean, placed_by xid8, place integer, turn integer)`;

/** Limits of types, tenants or, by type, keys, by name. */
const limitsOf = (what: 'key' | 'type' | 'tenant') =>
  `json_to_recordset(limits -> '${what}') AS ${what}_limit (name text, most integer)`;

/** As the core names them (`core/fairness/gates.ts`). */
const KEY_GATE = "'key ' || tenant_id || ' ' || concurrency_key";
const TYPE_GATE = "'type ' || type";
const TENANT_GATE = "'tenant ' || tenant_id";

/** The gates of all candidates: keys they have, and types and tenants that are limited. */
const GATES = `
  SELECT ${KEY_GATE} AS gate FROM ${CANDIDATE} WHERE concurrency_key IS NOT NULL
  UNION SELECT ${TYPE_GATE} FROM ${CANDIDATE} JOIN ${limitsOf('type')} ON name = type
  UNION SELECT ${TENANT_GATE} FROM ${CANDIDATE} JOIN ${limitsOf('tenant')} ON name = tenant_id::text`;

/** All that is in flight, by the index of its queues. */
const ALL_IN_FLIGHT = `in_flight WHERE queue = ANY (ARRAY(SELECT name FROM queues)) AND ${OF_QUEUE}
  AND dispatched_by >= flights_since`;

const heldBy = (what: 'type' | 'tenant', column: string) => `
  SELECT ${what}_limit.name, most, held.slots, held.elsewhere FROM ${limitsOf(what)} CROSS JOIN LATERAL (
    SELECT count(*) AS slots, count(*) FILTER (WHERE queue <> of_queue) AS elsewhere FROM ${ALL_IN_FLIGHT}
      AND in_flight.${column}::text = ${what}_limit.name) AS held
  WHERE EXISTS (SELECT FROM candidate WHERE candidate.${column}::text = ${what}_limit.name)`;

/** How many that may go stand before a candidate, itself among them. */
const rankOf = (column: string, isOut: string) =>
  `row_number() OVER (PARTITION BY ${column}, ${isOut} ORDER BY turn, place, no)`;

const MOVED = 'settled.build_id, settled.no';

/** Whether jobs of the queue wait for a candidate's key: its dispatcher, who alone lets jobs wait for keys, knows unless there are too many. */
const HAS_BLOCKED = `CASE WHEN known -> 'blockedKeys' -> candidate.tenant_id::text IS NOT NULL
  THEN known -> 'blockedKeys' -> candidate.tenant_id::text ? candidate.concurrency_key
  ELSE (
    SELECT true FROM blocked WHERE queue = of_queue AND ${IN_ORDER} AND blocked.tenant_id = candidate.tenant_id
      AND blocked.concurrency_key = candidate.concurrency_key LIMIT 1) IS NOT NULL END`;

/**
 * A slot of a key belongs to a job in flight, and so does what a limited type or tenant may have: there is no count of them that
 * could be wrong, they are counted. Who gives one away locks first, and counts in a statement of its own after that, whose
 * snapshot shows all that was given away before. Dispatchers of several queues may share a limit; all lock in the same order.
 *
 * Nobody goes before one that waits for the same key, whatever their types: not one who comes later, and not one whose limit is higher.
 */
export const TAKE_LIMITED_JOBS = `CREATE OR REPLACE FUNCTION take_limited_jobs(
     of_queue text, in_round bigint, asked_lines json, limits json, known jsonb DEFAULT '{}') RETURNS json
   LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     looks_ahead integer := ${LOOKS_AHEAD} / greatest(1, json_array_length(asked_lines));
     -- What a crash has lost may have had numbers that are given out again.
     flights_since xid8 := coalesce(
       (SELECT (known ->> 'flightsSince')::xid8 FROM told_since WHERE is_only_row AND epoch = (known ->> 'epoch')::uuid), '0');
     candidates json;
     taken json;
   BEGIN
     UPDATE queues SET dispatch_round = dispatch_round + 1 WHERE name = of_queue AND dispatch_round = in_round;
     IF NOT FOUND THEN RETURN NULL; END IF;
     candidates := (${CANDIDATES});
     PERFORM pg_advisory_xact_lock(${LIMIT_LOCK}, lock) FROM (
       SELECT DISTINCT hashtext(gate) AS lock FROM (${GATES}) AS gates ORDER BY lock) AS locks;
     WITH candidate AS MATERIALIZED (SELECT * FROM ${CANDIDATE}),
     key AS MATERIALIZED (
       SELECT tenant_id, concurrency_key, held.slots, held.elsewhere, ${HAS_BLOCKED} AS has_blocked
       FROM (SELECT DISTINCT tenant_id, concurrency_key FROM candidate WHERE concurrency_key IS NOT NULL) AS candidate
       CROSS JOIN LATERAL (
         SELECT count(*) AS slots, count(*) FILTER (WHERE queue <> of_queue) AS elsewhere FROM in_flight
         WHERE in_flight.tenant_id = candidate.tenant_id AND in_flight.concurrency_key = candidate.concurrency_key
           AND in_flight.dispatched_by >= flights_since) AS held
     ),
     of_types AS MATERIALIZED (${heldBy('type', 'type')}),
     of_tenants AS MATERIALIZED (${heldBy('tenant', 'tenant_id')}),
     in_key AS MATERIALIZED (
       SELECT candidate.*, key.elsewhere AS key_elsewhere,
         coalesce(key.has_blocked AND NOT candidate.is_blocked, false) AS is_behind,
         row_number() OVER first_of_key AS key_rank,
         key.slots AS key_slots, coalesce(key_limit.most, concurrency_limit) AS key_most,
         candidate.concurrency_key IS NOT NULL AND key.slots + row_number() OVER first_of_key
           > coalesce(key_limit.most, concurrency_limit) IS TRUE AS is_full_for_it
       FROM candidate LEFT JOIN key USING (tenant_id, concurrency_key)
       LEFT JOIN ${limitsOf('key')} ON key_limit.name = candidate.type
       WINDOW first_of_key AS (PARTITION BY candidate.tenant_id, candidate.concurrency_key
         ORDER BY is_blocked DESC, turn, priority, is_new, placed_by, job_id)
     ),
     by_key AS MATERIALIZED (
       SELECT in_key.*, concurrency_key IS NOT NULL AND bool_or(is_full_for_it) OVER (
         PARTITION BY tenant_id, concurrency_key ORDER BY key_rank) AS key_is_full
       FROM in_key
     ),
     by_type AS MATERIALIZED (
       SELECT by_key.*, key_is_full OR is_behind AS waits,
         NOT (key_is_full OR is_behind) AND (
           of_types.slots + ${rankOf('by_key.type', '(key_is_full OR is_behind)')} > of_types.most) IS TRUE AS type_is_full,
         of_types.elsewhere AS type_elsewhere
       FROM by_key LEFT JOIN of_types ON of_types.name = by_key.type
     ),
     ranked AS MATERIALIZED (
       SELECT by_type.*, NOT (waits OR type_is_full) AND (
           of_tenants.slots + ${rankOf('by_type.tenant_id', '(waits OR type_is_full)')} > of_tenants.most) IS TRUE
           AS tenant_is_full,
         of_tenants.elsewhere AS tenant_elsewhere
       FROM by_type LEFT JOIN of_tenants ON of_tenants.name = by_type.tenant_id::text
     ),
     judged AS MATERIALIZED (
       SELECT ranked.*, CASE WHEN NOT (waits OR type_is_full OR tenant_is_full) THEN asked.builds[
         (row_number() OVER (PARTITION BY no, waits OR type_is_full OR tenant_is_full ORDER BY place))::integer] END AS build_id
       FROM ranked JOIN ${ASKED} USING (no)
     ),
     held AS MATERIALIZED (
       SELECT judged.*, key_slots + count(build_id) OVER (PARTITION BY tenant_id, concurrency_key) AS key_held FROM judged
     ),
     -- Full is a key whose slots are held; where somebody was counted who then did not go, the next turn gives the slot away.
     of_keys AS MATERIALIZED (
       SELECT held.*, concurrency_key IS NOT NULL
         AND bool_or(build_id IS NULL AND key_held >= key_most) OVER (PARTITION BY tenant_id, concurrency_key) AS key_is_closed
       FROM held
     ),
     settled AS MATERIALIZED (
       SELECT of_keys.*, NOT is_blocked AND build_id IS NULL AND (is_behind OR key_is_closed) AS parks FROM of_keys
     ),
     from_ready AS (
       DELETE FROM ready USING settled
       WHERE NOT settled.is_blocked AND (settled.parks OR settled.build_id IS NOT NULL)
         AND ready.tenant_id = ANY (ARRAY[settled.tenant_id]) AND ready.job_id = settled.job_id
       RETURNING ${carriedFrom('ready')}, ready.placed_by, ${MOVED}
     ),
     from_blocked AS (
       DELETE FROM blocked USING settled
       WHERE settled.is_blocked AND settled.build_id IS NOT NULL
         AND blocked.tenant_id = ANY (ARRAY[settled.tenant_id]) AND blocked.job_id = settled.job_id
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
         count(*) FILTER (WHERE build_id IS NOT NULL OR parks) AS left_it,
         count(*) FILTER (WHERE build_id IS NULL AND NOT parks) AS stays,
         coalesce(
           (array_agg(placed_by ORDER BY place) FILTER (WHERE build_id IS NULL AND NOT parks))[1],
           (array_agg(placed_by ORDER BY place DESC))[1])::text AS placed_by,
         count(*) < cardinality(asked.builds) + CASE WHEN "isKeyed" AND NOT is_blocked THEN looks_ahead ELSE 0 END
           AND bool_and(build_id IS NOT NULL OR parks) AS is_empty
       FROM settled JOIN ${ASKED} USING (no) GROUP BY no, asked.builds, "isKeyed", is_blocked
     ),
     closed AS (
       SELECT ${KEY_GATE} AS gate, key_elsewhere AS elsewhere FROM settled WHERE key_is_closed
       UNION SELECT ${TYPE_GATE}, type_elsewhere FROM settled WHERE type_is_full
       UNION SELECT ${TENANT_GATE}, tenant_elsewhere FROM settled WHERE tenant_is_full
     )
     SELECT json_build_object('isTaken', true,
       'found', (SELECT coalesce(json_agg(json_build_object('no', no, 'ids', ids, 'left', left_it, 'stays', stays, 'placedBy', placed_by,
         'isEmpty', is_empty)), '[]') FROM found),
       'marked', (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'tenantId', tenant_id,
         'type', type, 'concurrencyKey', concurrency_key, 'traceparent', traceparent, 'buildId', build_id)), '[]') FROM marked),
       'blocked', (SELECT coalesce(json_agg(line), '[]') FROM (
         SELECT tenant_id AS "tenantId", type, refused_by AS "refusedBy", priority, is_new AS "isNew", true AS "isKeyed",
           concurrency_key AS "blockedBy", (array_agg(placed_by ORDER BY placed_by))[1]::text AS "placedBy", count(*) AS jobs
         FROM parked GROUP BY tenant_id, type, refused_by, priority, is_new, concurrency_key) AS line),
       'full', (SELECT coalesce(json_agg(json_build_object('gate', gate, 'isHeldElsewhere', elsewhere > 0)), '[]') FROM closed))
     INTO taken;
     RETURN taken;
   END $$`;
