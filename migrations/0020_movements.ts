import { type Kysely, sql } from 'kysely';

/**
 * Lets a dispatcher know its queue without reading it: whatever comes to `ready`, and whatever begins, changes or ends its
 * flight, is told in sums, a row a statement and kind. Who once read the whole queue and remembers the snapshot adds what
 * transactions have told that the snapshot did not show (`core/fairness/queue-picture.ts`).
 *
 * What is told need not outlast a crash: then all is read anew, which the row of `told_since` shows, as it is gone too.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ definition: string }>`
    SELECT pg_get_viewdef('current_jobs'::regclass) AS definition`.execute(db);
  const view = `CREATE VIEW current_jobs WITH (security_invoker = true) AS ${rows[0]?.definition}`;
  const statements = [
    ...IN_ORDER_OF_PLACING,
    ...['DROP VIEW current_jobs', ...IN_FLIGHT, view, 'GRANT SELECT ON current_jobs TO accepted_tenant'],
    ...[...TOLD, ...tell()],
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/**
 * What waits for its turn is found by the transaction that put it there, and begins behind what is gone for good: whoever
 * steps over rows that a long snapshot keeps would be slower each time. What was dispatched before goes first.
 */
const IN_ORDER_OF_PLACING = [
  `ALTER TABLE ready ADD COLUMN placed_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
     ADD COLUMN is_new boolean NOT NULL GENERATED ALWAYS AS (dispatch_no = 0) STORED`,
  'DROP INDEX ready_in_order, ready_by_age',
  `CREATE INDEX ready_in_order ON ready (queue, tenant_id, type, refused_by, priority, is_new, placed_by, job_id)
     WHERE CASE WHEN attempt >= 0 THEN true ELSE false END`,
];

const FIXED_IN_FLIGHT = `tenant_id, job_id, run_at, expires_at, dispatched_at, replay_round, dispatch_no, revision, concurrency_limit,
  priority, losses, suspect, has_followers, queue, type, concurrency_key, traceparent, refused_by, build_id`;
const CHANGED_IN_FLIGHT =
  'version, attempt, attempts_made, worker_id, started_at, cancel_requested_at, progress';

/**
 * What a claim changes stands together at the end of the row: of an update, the log holds only what lies between the first
 * change and the last. The rows are few, and written anew.
 */
const IN_FLIGHT = [
  'ALTER TABLE in_flight RENAME TO old_in_flight',
  'ALTER INDEX in_flight_pkey RENAME TO old_in_flight_pkey',
  `CREATE TABLE in_flight (
     tenant_id uuid NOT NULL,
     job_id uuid NOT NULL,
     run_at timestamptz NOT NULL,
     expires_at timestamptz,
     dispatched_at timestamptz NOT NULL,
     replay_round integer NOT NULL,
     dispatch_no integer NOT NULL,
     revision integer NOT NULL,
     concurrency_limit integer,
     priority smallint NOT NULL,
     losses smallint NOT NULL,
     suspect boolean NOT NULL,
     has_followers boolean NOT NULL,
     queue text NOT NULL,
     type text NOT NULL,
     concurrency_key text,
     traceparent text,
     refused_by text[] NOT NULL,
     build_id text,
     version integer NOT NULL,
     attempt integer NOT NULL,
     attempts_made integer NOT NULL,
     worker_id uuid,
     started_at timestamptz,
     cancel_requested_at timestamptz,
     progress json,
     PRIMARY KEY (job_id)
   ) WITH (fillfactor = 25, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
     autovacuum_vacuum_cost_delay = 0)`,
  `INSERT INTO in_flight (${FIXED_IN_FLIGHT}, ${CHANGED_IN_FLIGHT})
   SELECT ${FIXED_IN_FLIGHT}, ${CHANGED_IN_FLIGHT} FROM old_in_flight`,
  'DROP TABLE old_in_flight',
  `CREATE INDEX in_flight_by_queue ON in_flight (queue) WHERE CASE WHEN priority >= 0 THEN true ELSE false END`,
  'CREATE INDEX in_flight_expiring ON in_flight (expires_at) WHERE expires_at IS NOT NULL',
  'ALTER TABLE in_flight ENABLE ROW LEVEL SECURITY',
  `CREATE POLICY tenant_isolation ON in_flight TO accepted_tenant
     USING (tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid)`,
  'GRANT SELECT, INSERT, UPDATE, DELETE ON in_flight TO accepted_tenant',
];

const VACUUMED_OFTEN = 'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000';

const TOLD = [
  `CREATE UNLOGGED TABLE told_since (
     is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
     epoch uuid NOT NULL DEFAULT gen_random_uuid()
   )`,
  `CREATE UNLOGGED TABLE arrivals (
     queue text NOT NULL,
     told_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
     tenant_id uuid NOT NULL,
     type text NOT NULL,
     refused_by text[] NOT NULL,
     priority smallint NOT NULL,
     is_new boolean NOT NULL
   ) WITH (${VACUUMED_OFTEN})`,
  'CREATE INDEX arrivals_of_queue ON arrivals (queue, told_by)',
  `CREATE UNLOGGED TABLE flight_changes (
     queue text NOT NULL,
     told_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
     tenant_id uuid NOT NULL,
     type text NOT NULL,
     concurrency_key text,
     build_id text,
     is_claimed boolean NOT NULL,
     jobs bigint NOT NULL
   ) WITH (${VACUUMED_OFTEN})`,
  'CREATE INDEX flight_changes_of_queue ON flight_changes (queue, told_by)',
];

const FLIGHT = 'queue, tenant_id, type, concurrency_key, build_id';

/** Tenants write through the triggers, and have no rights on what is told of all of them. */
function tell(): string[] {
  return [
    ...trigger('ready', 'INSERT', {
      after: 'NEW TABLE AS placed',
      told: `INSERT INTO arrivals (queue, tenant_id, type, refused_by, priority, is_new)
             SELECT DISTINCT queue, tenant_id, type, refused_by, priority, is_new FROM placed`,
    }),
    ...trigger('in_flight', 'INSERT', {
      after: 'NEW TABLE AS begun',
      told: tellFlight(flightsOf('begun', 1)),
    }),
    ...trigger('in_flight', 'DELETE', {
      after: 'OLD TABLE AS ended',
      told: tellFlight(flightsOf('ended', -1)),
    }),
    // Most changes, such as of progress, come to nothing here.
    ...trigger('in_flight', 'UPDATE', {
      after: 'OLD TABLE AS before NEW TABLE AS after',
      told: tellFlight(`${flightsOf('before', -1)} UNION ALL ${flightsOf('after', 1)}`),
    }),
  ];
}

function flightsOf(table: string, jobs: number): string {
  return `SELECT ${FLIGHT}, worker_id IS NOT NULL AS is_claimed, ${jobs} AS jobs FROM ${table}`;
}

function tellFlight(changes: string): string {
  return `INSERT INTO flight_changes (${FLIGHT}, is_claimed, jobs)
    SELECT ${FLIGHT}, is_claimed, sum(jobs) FROM (${changes}) AS change
    GROUP BY ${FLIGHT}, is_claimed HAVING sum(jobs) <> 0`;
}

function trigger(table: string, event: string, { after, told }: { after: string; told: string }): string[] {
  const name = `tell_${table}_${event.toLowerCase()}`;
  return [
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
       BEGIN ${told}; RETURN NULL; END $$`,
    `CREATE TRIGGER ${name} AFTER ${event} ON ${table} REFERENCING ${after} FOR EACH STATEMENT EXECUTE FUNCTION ${name}()`,
  ];
}
