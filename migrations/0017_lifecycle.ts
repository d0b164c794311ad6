import { type Kysely, sql } from 'kysely';

/** Programs of before write to columns that are gone from here on, so what they try fails: this is the planned stop. */
export const major = 2;

/**
 * Turns the ledger into a lifecycle: `jobs` and `attempts` are written once, and what is under way moves through three
 * small tables, `ready`, `due` and `in_flight`. A live job is in exactly one of them; a finished one is in none, and the
 * newest of its `attempts` says what came of it.
 *
 * The rows of `jobs` stay where they are: columns are dropped from the catalog alone. `attempts` are written anew, with
 * what `jobs` knew of the end; that, and the keys by tenant, are what a large ledger waits for.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`LOCK TABLE jobs, attempts, dead_letters, payload_edits IN ACCESS EXCLUSIVE MODE`.execute(db);
  const statements = [
    ...[...HOT_TABLES, ...MOVE_PAYLOADS, ...(await newAttempts(db)), ...MOVE_LIVE_JOBS, ...NARROW_JOBS],
    ...ISOLATION,
    'ANALYZE jobs, attempts, ready, due, in_flight',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** What a live job takes along from table to table. The wide columns first: less is lost to alignment. */
const CARRIED = `
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  run_at timestamptz NOT NULL,
  expires_at timestamptz,
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
  queue text NOT NULL,
  type text NOT NULL,
  concurrency_key text,
  traceparent text,
  refused_by text[] NOT NULL`;

/**
 * Rows come and go by the thousand, so a vacuum is due after so many dead ones, whatever is there, and does not rest on
 * its way. `in_flight` leaves three quarters of each page to the new versions of its rows, which then touch no index.
 */
const VACUUMED_OFTEN =
  'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0';

/**
 * Conditions by `CASE` hold for every row and follow from none: only who writes one down means that index. A statement that
 * was planned while the table was empty would else take any, each looking as cheap as the others.
 */
const HOT_TABLES = [
  `CREATE TABLE ready (${CARRIED}, PRIMARY KEY (tenant_id, job_id)) WITH (${VACUUMED_OFTEN})`,
  `CREATE INDEX ready_in_order ON ready (queue, tenant_id, type, refused_by, priority, job_id)
     WHERE CASE WHEN attempt >= 0 THEN true ELSE false END`,
  `CREATE INDEX ready_by_age ON ready (queue, tenant_id, run_at) WHERE CASE WHEN version > 0 THEN true ELSE false END`,
  'CREATE INDEX ready_expiring ON ready (expires_at) WHERE expires_at IS NOT NULL AND attempt = 0',
  `CREATE TABLE due (${CARRIED}, status text NOT NULL CHECK (status IN ('scheduled', 'retrying')),
     PRIMARY KEY (tenant_id, job_id)) WITH (${VACUUMED_OFTEN})`,
  'CREATE INDEX due_by_time ON due (run_at)',
  'CREATE INDEX due_by_queue ON due (queue, status, tenant_id) WHERE CASE WHEN priority >= 0 THEN true ELSE false END',
  'CREATE INDEX due_expiring ON due (expires_at) WHERE expires_at IS NOT NULL AND attempt = 0',
  `CREATE TABLE in_flight (${CARRIED},
     dispatched_at timestamptz NOT NULL,
     build_id text,
     worker_id uuid,
     started_at timestamptz,
     cancel_requested_at timestamptz,
     progress json,
     PRIMARY KEY (job_id)) WITH (fillfactor = 25, ${VACUUMED_OFTEN})`,
  `CREATE INDEX in_flight_by_queue ON in_flight (queue, tenant_id, job_id)
     WHERE CASE WHEN priority >= 0 THEN true ELSE false END`,
  'CREATE INDEX in_flight_expiring ON in_flight (expires_at) WHERE expires_at IS NOT NULL',
];

/** The revisions of a job's payload, counted from 1; what it was accepted with is with the job. */
const MOVE_PAYLOADS = [
  `CREATE TABLE payload_revisions (
     job_id uuid NOT NULL,
     revision integer NOT NULL,
     tenant_id uuid NOT NULL,
     dead_letter_id uuid NOT NULL,
     payload json NOT NULL,
     refused_by text[] NOT NULL,
     concurrency_key text,
     actor text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, revision)
   )`,
  // An edit kept the payload of before; the one that it brought was kept by the next edit, or is with the job.
  `INSERT INTO payload_revisions
   SELECT edit.job_id, row_number() OVER by_round, edit.tenant_id, edit.dead_letter_id,
     coalesce(lead(edit.payload) OVER by_round, jobs.payload), jobs.refused_by, jobs.concurrency_key, actor, edit.created_at
   FROM payload_edits AS edit JOIN jobs ON jobs.id = edit.job_id
   WINDOW by_round AS (PARTITION BY edit.job_id ORDER BY edit.replay_round)`,
  `UPDATE jobs SET payload = edit.payload
   FROM (SELECT DISTINCT ON (job_id) job_id, payload FROM payload_edits ORDER BY job_id, replay_round) AS edit
   WHERE jobs.id = edit.job_id`,
];

/** How many edits came before a round. */
const revisionOf = (round: string) =>
  `(SELECT count(*)::int FROM payload_edits WHERE payload_edits.job_id = jobs.id AND payload_edits.replay_round < ${round})`;

const ATTEMPTS = `CREATE TABLE attempts (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  run_at timestamptz NOT NULL,
  dispatched_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz NOT NULL DEFAULT now(),
  cancel_requested_at timestamptz,
  version integer NOT NULL,
  attempt integer NOT NULL,
  attempts_made integer NOT NULL,
  replay_round integer NOT NULL,
  dispatch_no integer NOT NULL,
  revision integer NOT NULL,
  losses smallint NOT NULL,
  suspect boolean NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'retrying', 'succeeded', 'failed', 'canceled', 'expired')),
  outcome text,
  worker_id uuid,
  build_id text,
  dead_letter_id uuid,
  error json,
  progress json,
  result json,
  refused_by text[]
) PARTITION BY RANGE (job_id)`;

/** Writes the attempts anew, into weeks as they were. */
async function newAttempts(db: Kysely<unknown>): Promise<string[]> {
  const { rows: weeks } = await sql<{ name: string; bound: string }>`
    SELECT relname AS name, pg_get_expr(relpartbound, pg_class.oid) AS bound
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'attempts'::regclass ORDER BY relname`.execute(db);
  return [
    ...weeks.map(({ name }) => `ALTER TABLE ${name} RENAME TO old_${name}`),
    'ALTER TABLE attempts RENAME TO old_attempts',
    ATTEMPTS,
    ...weeks.map(({ name, bound }) => `CREATE TABLE ${name} PARTITION OF attempts ${bound}`),
    MOVE_ATTEMPTS,
    MOVE_ENDS_WITHOUT_ATTEMPT,
    'DROP TABLE old_attempts',
    'ALTER TABLE attempts ADD PRIMARY KEY (tenant_id, job_id, version)',
    `CREATE INDEX attempts_unsuccessful ON attempts (tenant_id, status, job_id)
       WHERE status IN ('failed', 'canceled', 'expired')`,
    'CREATE INDEX attempts_finished ON attempts USING brin (finished_at)',
  ];
}

const ATTEMPT_COLUMNS = `tenant_id, job_id, run_at, dispatched_at, started_at, finished_at, cancel_requested_at, version, attempt,
  attempts_made, replay_round, dispatch_no, revision, losses, suspect, status, outcome, worker_id, build_id,
  dead_letter_id, error, progress, result, refused_by`;

/** The attempt with which a job ended took the same moment from the same transaction. */
const IS_END = 'old.attempt = jobs.attempt AND old.finished_at = jobs.finished_at';

/** An attempt that was not the end gets its own number for a version: smaller than the job's, and growing. */
const MOVE_ATTEMPTS = `
  INSERT INTO attempts (${ATTEMPT_COLUMNS})
  SELECT jobs.tenant_id, jobs.id, jobs.run_at, CASE WHEN is_end THEN jobs.dispatched_at END, old.started_at,
    old.finished_at, CASE WHEN is_end THEN jobs.cancel_requested_at END, CASE WHEN is_end THEN jobs.version ELSE old.attempt END,
    old.attempt, CASE WHEN is_end THEN jobs.attempts_made ELSE old.attempt END, old.replay_round,
    CASE WHEN is_end THEN jobs.dispatch_no ELSE old.attempt END, ${revisionOf('old.replay_round')},
    CASE WHEN is_end THEN jobs.losses ELSE 0 END, is_end AND jobs.suspect,
    CASE WHEN is_end THEN jobs.status WHEN letter.id IS NOT NULL THEN 'failed' WHEN old.outcome = 'released' THEN 'queued'
      ELSE 'retrying' END,
    old.outcome, old.worker_id, CASE WHEN is_end THEN jobs.build_id END, letter.id, old.error,
    CASE WHEN is_last THEN jobs.progress END, CASE WHEN is_end THEN jobs.result END,
    CASE WHEN is_end THEN nullif(jobs.refused_by, '{}') END
  FROM old_attempts AS old JOIN jobs ON jobs.id = old.job_id
  CROSS JOIN LATERAL (
    SELECT coalesce(${IS_END}, false) AS is_end,
      old.attempt = jobs.attempt AND old.replay_round = jobs.replay_round AS is_last) AS judged
  LEFT JOIN dead_letters AS letter ON letter.job_id = old.job_id AND letter.attempt = old.attempt`;

const MOVE_ENDS_WITHOUT_ATTEMPT = `
  INSERT INTO attempts (${ATTEMPT_COLUMNS})
  SELECT tenant_id, id, run_at, dispatched_at, started_at, finished_at, cancel_requested_at, version, attempt, attempts_made,
    replay_round, dispatch_no, ${revisionOf('jobs.replay_round')}, losses, suspect, status, NULL, worker_id, build_id,
    dead_letter_id, error, progress, result, nullif(refused_by, '{}')
  FROM jobs
  WHERE finished_at IS NOT NULL AND NOT EXISTS (SELECT FROM old_attempts AS old WHERE old.job_id = jobs.id AND ${IS_END})`;

const CARRIED_COLUMNS = `tenant_id, job_id, run_at, expires_at, version, attempt, attempts_made, replay_round, dispatch_no,
  revision, concurrency_limit, priority, losses, suspect, has_followers, queue, type, concurrency_key, traceparent, refused_by`;

const CARRIED_OF_JOBS = `tenant_id, id, run_at, expires_at, version, attempt, attempts_made, replay_round, dispatch_no,
  ${revisionOf('jobs.replay_round')}, concurrency_limit, priority, losses, suspect, webhook IS NOT NULL, queue, type,
  concurrency_key, traceparent, refused_by`;

const MOVE_LIVE_JOBS = [
  `INSERT INTO ready (${CARRIED_COLUMNS}) SELECT ${CARRIED_OF_JOBS} FROM jobs WHERE status = 'queued' AND dispatched_at IS NULL`,
  `INSERT INTO due (${CARRIED_COLUMNS}, status) SELECT ${CARRIED_OF_JOBS}, status FROM jobs
   WHERE status IN ('scheduled', 'retrying')`,
  `INSERT INTO in_flight (${CARRIED_COLUMNS}, dispatched_at, build_id, worker_id, started_at, cancel_requested_at, progress)
   SELECT ${CARRIED_OF_JOBS}, coalesce(dispatched_at, started_at, now()), build_id,
     CASE WHEN status = 'running' THEN worker_id END, CASE WHEN status = 'running' THEN started_at END,
     cancel_requested_at, CASE WHEN status = 'running' THEN progress END
   FROM jobs WHERE status = 'running' OR (status = 'queued' AND dispatched_at IS NOT NULL)`,
  'DROP TABLE payload_edits',
];

const MOVED_COLUMNS = [
  ...[
    'status',
    'result',
    'error',
    'progress',
    'attempt',
    'attempts_made',
    'replay_round',
    'suspect',
    'losses',
    'dispatch_no',
  ],
  ...['dispatched_at', 'build_id', 'worker_id', 'dead_letter_id', 'version', 'started_at', 'finished_at'],
  'cancel_requested_at',
];

const NARROW_JOBS = [
  'DROP INDEX jobs_by_tenant',
  `ALTER TABLE jobs DROP CONSTRAINT jobs_pkey, ${MOVED_COLUMNS.map((name) => `DROP COLUMN ${name}`).join(', ')}`,
  'ALTER TABLE jobs ADD PRIMARY KEY (tenant_id, id)',
  'CREATE INDEX jobs_by_type ON jobs (tenant_id, type, id) WHERE CASE WHEN max_attempts > 0 THEN true ELSE false END',
  'CREATE INDEX jobs_by_queue ON jobs (tenant_id, queue, id) WHERE CASE WHEN timeout_ms > 0 THEN true ELSE false END',
  // Finds the few jobs that came into an old week while it was looked through, at next to no cost for those who accept.
  'CREATE INDEX jobs_created ON jobs USING brin (created_at)',
];

/** A tenant may add to what is written once, and change what moves. */
const ISOLATION = [
  'REVOKE UPDATE ON jobs FROM accepted_tenant',
  ...protect('attempts', 'SELECT, INSERT'),
  ...protect('payload_revisions', 'SELECT, INSERT'),
  ...['ready', 'due', 'in_flight'].flatMap((table) => protect(table, 'SELECT, INSERT, UPDATE, DELETE')),
];

function protect(table: string, granted: string): string[] {
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant_isolation ON ${table} TO accepted_tenant
       USING (tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid)`,
    `GRANT ${granted} ON ${table} TO accepted_tenant`,
  ];
}
