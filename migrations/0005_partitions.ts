import { type Kysely, sql } from 'kysely';

/**
 * Splits jobs and their attempts by the time in the job's id, a UUIDv7, into weeks, so that old weeks can be dropped.
 *
 * No row is copied: the tables as they are become the partition of everything up to the end of this week, which
 * Postgres reads through once to believe it. `packages/shared/src/ledger/retention/partitions.ts` makes the weeks that follow.
 * Dead letters stay one table and get an index by which old ones are found.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ ms: number }>`
    SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS ms`.execute(db);
  const [now] = rows;
  if (!now) throw new Error('Postgres does not tell the time');
  const nextWeekMs = now.ms - ((now.ms - FIRST_MONDAY_MS) % WEEK_MS) + WEEK_MS;
  const statements = [
    // In the order in which outcomes take them, or each side could wait for the other.
    'LOCK TABLE jobs, attempts IN ACCESS EXCLUSIVE MODE',
    ...unprotect('attempts'),
    ...unprotect('jobs'),
    ...split(JOBS, nextWeekMs),
    ...split(ATTEMPTS, nextWeekMs),
    ...protect('jobs', 'SELECT, INSERT, UPDATE', OWN),
    // The policy of jobs holds in this subquery too.
    ...protect('attempts', 'SELECT', 'EXISTS (SELECT FROM jobs WHERE jobs.id = attempts.job_id)'),
    'CREATE INDEX dead_letters_resolved ON dead_letters (resolved_at) WHERE resolved_at IS NOT NULL',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const FIRST_MONDAY_MS = Date.UTC(1970, 0, 5);
const WEEK_MS = 7 * 24 * 3_600_000;

interface Table {
  name: string;
  key: string;
  /** A partitioned table has none of these and hands none on. */
  storage: string;
  indexes: string[];
}

const JOBS: Table = {
  name: 'jobs',
  key: 'id',
  storage: 'WITH (fillfactor = 80)',
  indexes: [
    'ALTER TABLE jobs ADD PRIMARY KEY (id)',
    'CREATE INDEX jobs_by_tenant ON jobs (tenant_id, id DESC)',
    `CREATE INDEX jobs_ready ON jobs (queue, tenant_id, priority, id)
       WHERE status = 'queued' AND dispatched_at IS NULL`,
    `CREATE INDEX jobs_dispatched ON jobs (queue, dispatched_at)
       WHERE status = 'queued' AND dispatched_at IS NOT NULL`,
    `CREATE INDEX jobs_running ON jobs (queue, worker_id) WHERE status = 'running'`,
    `CREATE INDEX jobs_due ON jobs (run_at) WHERE status IN ('scheduled', 'retrying')`,
    `CREATE INDEX jobs_expiring ON jobs (expires_at)
       WHERE expires_at IS NOT NULL AND status IN ('scheduled', 'queued', 'retrying')`,
    // Finds the few jobs of an old week that finished late, at next to no cost for those who finish jobs.
    'CREATE INDEX jobs_finished ON jobs USING brin (finished_at)',
  ],
};

const ATTEMPTS: Table = {
  name: 'attempts',
  key: 'job_id',
  storage: '',
  indexes: ['ALTER TABLE attempts ADD PRIMARY KEY (job_id, attempt)'],
};

/** The table's rows all stay where they are, but for those whose id lies beyond this week: a clock was wrong then. */
function split({ name, key, storage, indexes }: Table, nextWeekMs: number): string[] {
  const old = `${name}_until_${dateOf(nextWeekMs)}`;
  const bound = firstIdOf(nextWeekMs);
  return [
    `ALTER TABLE ${name} RENAME TO ${old}`,
    `DO $$ DECLARE index text; BEGIN
       FOR index IN SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = '${old}'::regclass
       LOOP EXECUTE format('ALTER INDEX %I RENAME TO %I', index, replace(index, '${name}_', '${old}_')); END LOOP;
     END $$`,
    `CREATE TABLE ${name} (LIKE ${old} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (${key})`,
    ...indexes,
    ...[nextWeekMs, nextWeekMs + WEEK_MS].map(
      (week) => `CREATE TABLE ${name}_${dateOf(week)} PARTITION OF ${name}
        FOR VALUES FROM ('${firstIdOf(week)}') TO ('${firstIdOf(week + WEEK_MS)}') ${storage}`,
    ),
    `CREATE TABLE ${name}_default PARTITION OF ${name} DEFAULT ${storage}`,
    `WITH late AS (DELETE FROM ${old} WHERE ${key} >= '${bound}' RETURNING *) INSERT INTO ${name} SELECT * FROM late`,
    `ALTER TABLE ${name} ATTACH PARTITION ${old} FOR VALUES FROM (MINVALUE) TO ('${bound}')`,
  ];
}

/** The smallest UUIDv7 of a moment, and all of them after it, are not below this. */
function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '_');
}

/** Partitions are reached through their parent alone, whose policy holds then. */
function unprotect(table: string): string[] {
  return [
    `DROP POLICY tenant_isolation ON ${table}`,
    `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
    `REVOKE ALL ON ${table} FROM accepted_tenant`,
  ];
}

const OWN = `tenant_id = nullif(current_setting('accepted.tenant_id', true), '')::uuid`;

function protect(table: string, granted: string, condition: string): string[] {
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant_isolation ON ${table} TO accepted_tenant USING (${condition})`,
    `GRANT ${granted} ON ${table} TO accepted_tenant`,
  ];
}
