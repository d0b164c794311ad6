import { newUuid } from '@accepted/shared/core/job/id';
import { asTenant } from '@accepted/shared/ledger/connection/as-tenant';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { CARRIED, carriedFrom } from '@accepted/shared/ledger/jobs/hot-rows';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { createApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { makeJob } from '@accepted/testing/factories';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { createTestDatabase, MIGRATIONS_DIR, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What is the same for every tenant, or tells nothing about one. */
const WITHOUT_TENANT = [
  'services',
  'build_types',
  'builds',
  'counters',
  'finished_by_hour',
  'job_type_rules',
  'job_types',
  'kysely_migration',
  'kysely_migration_lock',
  'queues',
  'told_since',
  'schema_version',
  'workers',
];

let database: TestDatabase;
const [ours, theirs] = [newUuid(), newUuid()];
beforeAll(async () => {
  database = await createTestDatabase();
  for (const tenantId of [ours, theirs]) await fillTables(database.db, tenantId);
});
afterAll(async () => await database.drop());

/** Writes a row of the tenant into every table that has rows of tenants. */
async function fillTables(db: Database, tenantId: string): Promise<void> {
  await db
    .insertInto('tenants')
    .values({ id: tenantId, name: tenantId, webhook_secret: `whsec_of ${tenantId}` })
    .execute();
  await createApiKey(db, { tenantId, name: 'key', scopes: ['admin'], actor: 'test' });
  const idempotency = { route: 'POST /v1/jobs', key: 'key', fingerprint: Buffer.alloc(32) };
  const job = makeJob({ tenantId, idempotency, tags: ['one'] });
  await insertJobs(db, [job]);
  for (const table of ['due', 'in_flight'])
    await sql`INSERT INTO ${sql.table(table)} (${CARRIED}, ${table === 'due' ? sql`status` : sql`dispatched_at`})
      SELECT ${carriedFrom('ready')}, ${table === 'due' ? sql`'scheduled'` : sql`now()`} FROM ready
      WHERE job_id = ${job.id}`.execute(db);
  await sql`INSERT INTO blocked (${CARRIED}, placed_by)
    SELECT ${carriedFrom('ready', { concurrency_key: sql`'key'` })}, placed_by FROM ready
    WHERE job_id = ${job.id}`.execute(db);
  await sql`INSERT INTO attempts (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no,
      revision, losses, suspect, status)
    SELECT tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision, losses, suspect,
      'failed' FROM ready WHERE job_id = ${job.id}`.execute(db);
  const letter = newUuid();
  await sql`INSERT INTO dead_letters (id, job_id, tenant_id, queue, type, reason, error, fingerprint, attempt,
      attempts_made, versions)
    VALUES (${letter}, ${job.id}, ${tenantId}, 'default', 'test', 'poison', '{}', '', 1, 1, '{}')`.execute(
    db,
  );
  await sql`INSERT INTO payload_revisions (job_id, revision, tenant_id, dead_letter_id, payload, refused_by, actor)
    VALUES (${job.id}, 1, ${tenantId}, ${letter}, '{}', '{}', 'test')`.execute(db);
  await sql`INSERT INTO webhook_deliveries (job_id, delivery_id, tenant_id, event)
    VALUES (${job.id}, ${newUuid()}, ${tenantId}, 'job.failed')`.execute(db);
  await sql`INSERT INTO breakers (id, tenant_id, type, target, error_code, open_until)
    VALUES (${tenantId}, ${tenantId}, 'http.request', 'http://x', 'http_500', now())`.execute(db);
  const replay = newUuid();
  await sql`INSERT INTO bulk_replays (id, tenant_id, actor, reason, selection, canary, status, matched, limited)
    VALUES (${replay}, ${tenantId}, 'test', 'test', '{}', 0, 'running', 1, false)`.execute(db);
  await sql`INSERT INTO bulk_replay_items (bulk_replay_id, dead_letter_id, tenant_id)
    VALUES (${replay}, ${letter}, ${tenantId})`.execute(db);
}

/** For dispatchers, which serve all tenants: what triggers tell them, and what they leave for each other. And what all have together. */
const OUT_OF_REACH = [
  ...['arrivals', 'landings', 'passes', 'backlogs', 'backlogs_counted'],
  ...['token_buckets', 'rates_edition', 'hotspots'],
];
/** A tenant only adds to it. */
const TOLD = 'backlog_changes';

async function tablesOfTenants(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT relname AS name FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    ORDER BY name`.execute(database.db);
  return rows
    .map(({ name }) => name)
    .filter((name) => ![...WITHOUT_TENANT, ...OUT_OF_REACH, TOLD].includes(name));
}

async function tablesWithPolicy(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT relname AS name FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
    WHERE relrowsecurity AND polroles = ARRAY['accepted_tenant'::regrole::oid] ORDER BY name`.execute(
    database.db,
  );
  return rows.map(({ name }) => name);
}

test('every table with rows of tenants has a policy', async () => {
  expect(await tablesWithPolicy()).toEqual([...(await tablesOfTenants()), TOLD].sort());
});

test('partitions and what is told of all tenants, which no policy protects, are out of reach', async () => {
  const { rows } = await sql<{ partitions: number; reachable: string[] | null }>`
    SELECT count(*)::int AS partitions, array_agg(relname) FILTER (WHERE
      has_table_privilege('accepted_tenant', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
      OR has_any_column_privilege('accepted_tenant', oid, 'SELECT, INSERT, UPDATE, REFERENCES')) AS reachable
    FROM pg_class WHERE relkind IN ('r', 'p') AND (relispartition OR relname = ANY(${OUT_OF_REACH}))`.execute(
    database.db,
  );

  expect(rows[0]?.partitions).toBeGreaterThan(5);
  expect(rows[0]?.reachable).toBeNull();
});

test('statements that forget to ask for the tenant see its rows alone, in every table', async () => {
  for (const table of await tablesOfTenants()) {
    const count = (db: Database) =>
      sql<{ rows: number }>`SELECT count(*)::int AS rows FROM ${sql.table(table)}`.execute(db);

    expect((await count(database.db)).rows[0]?.rows, `${table} is filled`).toBeGreaterThan(1);
    const seen = await asTenant(database.db, ours, count);
    expect([table, seen.rows[0]?.rows]).toEqual([table, 1]);
  }
});

test('the view of all jobs shows a tenant its own', async () => {
  const { rows } = await asTenant(database.db, ours, (tx) =>
    sql<{ tenant_id: string }>`SELECT DISTINCT tenant_id FROM current_jobs`.execute(tx),
  );
  expect(rows).toEqual([{ tenant_id: ours }]);
});

test('a tenant tells of its own jobs alone, and hears of none', async () => {
  const tell = (...tenantIds: string[]) =>
    asTenant(database.db, ours, (tx) =>
      sql`INSERT INTO backlog_changes (queue, tenant_ids, jobs) VALUES ('default', ${tenantIds}::uuid[], '{1}')`.execute(
        tx,
      ),
    );
  await tell(ours);
  await expect(tell(theirs)).rejects.toThrow('row-level security');
  await expect(tell(ours, theirs)).rejects.toThrow('row-level security');
  const read = asTenant(database.db, ours, (tx) => sql`SELECT FROM backlog_changes`.execute(tx));
  await expect(read).rejects.toThrow('permission denied');
});

describe('what runs for a tenant', () => {
  const run = (statement: string) =>
    asTenant(database.db, ours, (tx) => sql.raw<{ tenant_id: string }>(statement).execute(tx));

  test('changes its own rows alone', async () => {
    const { rows } = await run(`UPDATE ready SET version = version + 1 RETURNING tenant_id`);

    expect(rows.map((row) => row.tenant_id)).toEqual([ours]);
  });

  test.each([
    ['adds rows of another', () => `UPDATE ready SET tenant_id = '${theirs}'`, 'row-level security'],
    ['changes what was asked', () => `UPDATE jobs SET priority = 0`, 'permission denied'],
    ['changes an outcome', () => `UPDATE attempts SET status = 'succeeded'`, 'permission denied'],
    [
      'writes an audit row for another',
      () =>
        `INSERT INTO audit_log (id, tenant_id, actor, action, target) VALUES (gen_random_uuid(), '${theirs}', 'a', 'b', 'c')`,
      'row-level security',
    ],
    ['changes the audit log', () => `UPDATE audit_log SET actor = 'nobody'`, 'permission denied'],
    ['deletes a job', () => `DELETE FROM jobs`, 'permission denied'],
    ['reads the secret of webhooks', () => `SELECT webhook_secret FROM tenants`, 'permission denied'],
    [
      'reads secrets that still sign',
      () => `SELECT retired_webhook_secrets FROM tenants`,
      'permission denied',
    ],
    ['unlinks a delivery', () => `DELETE FROM webhook_deliveries`, 'permission denied'],
    [
      'links a delivery for another',
      () =>
        `INSERT INTO webhook_deliveries (job_id, delivery_id, tenant_id, event) VALUES (gen_random_uuid(), gen_random_uuid(), '${theirs}', 'x')`,
      'row-level security',
    ],
    ['reads who else has workers', () => `SELECT * FROM workers`, 'permission denied'],
    ['turns the policies off', () => `ALTER TABLE jobs DISABLE ROW LEVEL SECURITY`, 'must be owner'],
  ])('never %s', async (_name, statement, refusal) => {
    await expect(run(statement())).rejects.toThrow(refusal);
  });

  test('sees nothing when nobody says for which tenant', async () => {
    const { rows } = await database.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL ROLE accepted_tenant`.execute(tx);
      return await sql`SELECT FROM jobs`.execute(tx);
    });

    expect(rows).toHaveLength(0);
  });

  test('is never anybody but a tenant', async () => {
    const injected = `${ours}'; DROP TABLE jobs; --`;
    await expect(asTenant(database.db, injected, (tx) => sql`SELECT`.execute(tx))).rejects.toThrow(
      'must be a UUID',
    );
  });

  test('is one transaction for all that takes part in it, and for nobody else', async () => {
    const write = asTenant(database.db, ours, async (tx) => {
      await asTenant(tx, ours, (same) => sql`UPDATE ready SET version = 77`.execute(same));
      throw new Error('taken back');
    });
    await expect(write).rejects.toThrow('taken back');
    const { rows } = await sql`SELECT FROM ready WHERE version = 77`.execute(database.db);
    expect(rows).toHaveLength(0);
    const others = asTenant(database.db, ours, (tx) =>
      asTenant(tx, theirs, (own) => sql`SELECT`.execute(own)),
    );
    await expect(others).rejects.toThrow('not begun for this tenant');
    const nobodys = database.db
      .transaction()
      .execute((tx) => asTenant(tx, ours, (own) => sql`SELECT`.execute(own)));
    await expect(nobodys).rejects.toThrow('not begun for this tenant');
  });

  test('leaves nothing behind on its connection', async () => {
    await database.db.connection().execute(async (connection) => {
      await asTenant(connection, ours, (tx) => sql`SELECT`.execute(tx));
      const { rows } = await sql`SELECT current_user = session_user AS is_owner,
        current_setting('accepted.tenant_id', true) AS tenant`.execute(connection);
      expect(rows).toEqual([{ is_owner: true, tenant: '' }]);
    });
  });
});

describe('the role that the migration makes', () => {
  test('is made by users who may make roles, however many databases they migrate at once', async () => {
    await using server = await startPostgresServer();
    const names = ['one', 'two', 'three', 'four'];
    const urls = await makeUser(server.url, 'maker', 'CREATEROLE', names);

    await Promise.all(urls.map((url) => migrateLedger(url, MIGRATIONS_DIR)));

    for (const url of urls) expect(await jobsSeenBy(url)).toBe(0);
  });

  test('is asked for in one sentence where they may not, and is enough once it is there', async () => {
    await using server = await startPostgresServer();
    const [url = ''] = await makeUser(server.url, 'plain', 'NOCREATEROLE', ['ledger']);

    await expect(migrateLedger(url, MIGRATIONS_DIR)).rejects.toThrow(
      'The database user plain may not set up the role accepted_tenant. Let a superuser run "CREATE ROLE accepted_tenant NOLOGIN" and "GRANT accepted_tenant TO plain", then migrate again.',
    );
    await runOn(server.url, 'CREATE ROLE accepted_tenant NOLOGIN');
    await expect(migrateLedger(url, MIGRATIONS_DIR)).rejects.toThrow('GRANT accepted_tenant TO plain');
    await runOn(server.url, 'GRANT accepted_tenant TO plain');
    await migrateLedger(url, MIGRATIONS_DIR);
    expect(await jobsSeenBy(url)).toBe(0);

    await using db = open(url);
    await runOn(server.url, 'REVOKE accepted_tenant FROM plain');
    const refused = asTenant(db, newUuid(), (tx) => sql`SELECT FROM jobs`.execute(tx));
    await expect(refused).rejects.toThrow('permission denied to set role');
    // The only connection of this pool can still be used.
    expect((await sql`SELECT FROM jobs`.execute(db)).rows).toEqual([]);
  });

  async function makeUser(server: string, user: string, may: string, databases: string[]): Promise<string[]> {
    await runOn(server, `CREATE ROLE ${user} LOGIN PASSWORD 'secret' ${may}`);
    for (const name of databases) await runOn(server, `CREATE DATABASE ${name} OWNER ${user}`);
    return databases.map((name) =>
      Object.assign(new URL(server), { username: user, password: 'secret', pathname: `/${name}` }).toString(),
    );
  }

  async function jobsSeenBy(url: string): Promise<number> {
    await using db = open(url);
    return (await asTenant(db, newUuid(), (tx) => sql`SELECT FROM jobs`.execute(tx))).rows.length;
  }

  async function runOn(url: string, statement: string): Promise<void> {
    await using db = open(url);
    await sql.raw(statement).execute(db);
  }

  const open = (url: string) =>
    openDatabase(
      { url, applicationName: 'test', maxConnections: 1, connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 },
      () => undefined,
    );
});
