import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { CARRIED, carriedFrom } from '@accepted/shared/ledger/jobs/hot-rows';
import { HOT_TABLES } from '@accepted/shared/ledger/jobs/hot-tables';
import { finishJobs } from '@accepted/testing/move-jobs';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type Installation, startInstallation } from '../installation.ts';
import { hasDisabledNode, type LoggedPlan, nodesOf, type PlanNode, startPlanLog } from './plan-log.ts';

/** How many jobs there are where there are many; `PLANS_ROWS=1000000` makes it a large ledger. */
const MANY = Number(process.env.PLANS_ROWS ?? 100_000);
const CHUNK = 100_000;
const TIMEOUT_MS = 300_000 + MANY * 2;

test.each(['system', 'embedded'] as const)(
  'every plan goes through indexes, none holds what is disabled, none is compiled, whatever the tables held when it was made (%s PostgreSQL)',
  async (kind) => {
    await using log = await startPlanLog(kind);
    await using database = await createTestDatabase(log.url);
    await using db = openPatiently(database.url);
    await using installation = await startInstallation({ databaseUrl: database.url });
    await installation.startWorker();
    await sql`INSERT INTO queues (name) VALUES ('held')`.execute(db);
    const faults = new Set<string>();
    const check = async (when: string) => {
      await useEverything(installation, db);
      const indexes = await listIndexes(db);
      for (const fault of describeFaults(when, await log.read(), indexes)) faults.add(fault);
    };
    await check('in a new ledger');
    await empty(db);
    await check('with the statistics of an empty ledger');
    await fill(db);
    await check('with many jobs and the statistics of an empty ledger');
    await sql`ANALYZE`.execute(db);
    await check('with many jobs and their statistics');
    await empty(db);
    await check('after it was emptied');
    expect([...faults]).toEqual([]);
  },
  TIMEOUT_MS,
);

/** To fill and empty a large ledger takes longer than any statement of ours may. */
function openPatiently(url: string): Database {
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: TIMEOUT_MS };
  return openDatabase(
    { url, applicationName: 'accepted-tests', maxConnections: 1, ...timeouts },
    () => undefined,
  );
}

/** A table that a vacuum has found empty costs nothing to scan: the worst time to make a plan that is kept. */
async function empty(db: Database): Promise<void> {
  for (const table of [...HOT_TABLES, 'attempts', 'job_tags', 'jobs'])
    await sql`DELETE FROM ${sql.table(table)}`.execute(db);
  await sql`VACUUM ANALYZE`.execute(db);
}

/** Half of the jobs wait, in a queue that no worker serves, and half of those for a slot of their key; half are finished. */
async function fill(db: Database): Promise<void> {
  for (let made = 0; made < MANY; made += CHUNK)
    await sql`
      WITH written AS (
        INSERT INTO jobs (id, tenant_id, type, queue, priority, payload, max_attempts, backoff, timeout_ms, tags, metadata,
          run_at)
        SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7' || left(md5(n::text), 19))::uuid,
          md5('one')::uuid, 'test.held', 'held', 2, '{}', 3, '{}', 1000, '["held"]', '{}', now()
        FROM generate_series(${made}::integer + 1, least(${made}::integer + ${CHUNK}::integer, ${MANY}::integer)) AS n
        RETURNING *)
      INSERT INTO ready (${CARRIED})
      SELECT tenant_id, id, run_at, NULL, 1, 0, 0, 0, 0, 0, NULL, priority, 0, false, false, queue, type, NULL, NULL, '{}'
      FROM written`.execute(db);
  await finishJobs(db, { which: sql`right(job_id::text, 1) > '7'` });
  await sql`
    WITH taken AS (DELETE FROM ready WHERE right(job_id::text, 1) > '3' RETURNING *)
    INSERT INTO blocked (${CARRIED}, placed_by)
    SELECT ${carriedFrom('taken', { concurrency_key: sql`'key ' || right(taken.job_id::text, 2)` })}, placed_by
    FROM taken`.execute(db);
}

const KEY = { concurrencyKey: 'one' };

/** Has the API and a worker run the statements of a job's life, and of the services beside it. */
async function useEverything(installation: Installation, db: Database): Promise<void> {
  const file = join(installation.folder, 'file');
  const submit = async (body: object, headers = {}) => (await installation.accept(body, headers)).id;
  const append = { type: 'test.append-line', payload: { file, n: 1 } };
  const ids = await Promise.all([
    submit(append),
    submit(append, { 'idempotency-key': crypto.randomUUID() }),
    submit({ ...append, delayMs: 500 }),
    submit({ ...append, tags: ['one'] }),
    submit({ ...append, webhook: { url: 'http://127.0.0.1:1/hook' } }),
    submit({ type: 'test.require-file', payload: { file: `${file}-never` } }),
  ]);
  const gate = `${file}-${crypto.randomUUID()}`;
  const holder = await submit({ type: 'test.wait-for-file', payload: { file, gate }, ...KEY });
  await waitUntil(async () => (await installation.readJob(holder)).status === 'running', {
    until: `${holder} holds the key`,
    timeoutMs: 20_000,
  });
  const keyed = await Promise.all([submit({ ...append, ...KEY }), submit({ ...append, ...KEY })]);
  await waitUntil(async () => (await countBlocked(db)) === keyed.length, {
    until: 'the key keeps both waiting',
    timeoutMs: 20_000,
  });
  await read(installation, [...READS, ...readsOf(keyed[0], '', '/attempts', '/explain')]);
  await writeFile(gate, '');
  for (const id of [...ids, holder, ...keyed])
    await waitUntil(async () => (await installation.readJob(id)).finishedAt !== null, {
      until: `${id} has ended`,
      timeoutMs: 20_000,
    });
  await read(installation, [...READS, ...readsOf(ids[0], '', '/result', '/attempts', '/explain')]);
}

async function countBlocked(db: Database): Promise<number> {
  const { rows } = await sql<{ jobs: number }>`
    SELECT count(*)::int AS jobs FROM blocked WHERE concurrency_key = ${KEY.concurrencyKey}`.execute(db);
  return rows[0]?.jobs ?? 0;
}

async function read(installation: Installation, paths: string[]): Promise<void> {
  for (const path of paths) expect((await installation.request(path)).status, path).toBe(200);
}

const readsOf = (id: string | undefined, ...what: string[]) => what.map((one) => `/v1/jobs/${id}${one}`);

const READS = [
  '/v1/jobs',
  '/v1/jobs?status=failed',
  '/v1/jobs?tag=one',
  '/v1/dead-letters',
  '/v1/queues',
  '/v1/queues/default',
  '/v1/queues/held',
  '/v1/scaling',
  '/v1/audit-log',
  '/metrics',
];

/**
 * What grows with the ledger. The statements of the API may scan, as their plans are not kept: but for the accept's (0013), and
 * those that look a job up by its key.
 */
const GROWS =
  /^(jobs|job_tags|attempts|payload_revisions|ready|blocked|due|in_flight|idempotency_keys|dead_letters)/;

function describeFaults(when: string, plans: LoggedPlan[], indexes: Indexes): string[] {
  expect(plans.length).toBeGreaterThan(10);
  return plans.flatMap((plan) => {
    const faults = [
      ...(hasDisabledNode(plan) ? ['takes what is disabled'] : []),
      ...(plan.isCompiled ? ['is compiled'] : []),
      ...(mayNotScan(plan) ? scannedTables(plan, indexes).map((table) => `scans ${table}`) : []),
    ];
    const statement = plan.statement.trim().replaceAll(/\s+/g, ' ').slice(0, 200);
    return faults.map((fault) => `${when}, ${plan.application} ${fault}: ${statement}`);
  });
}

const LOOKS_UP = /^\s*\/\* (find-job|find-job-result|find-deliveries|lock-live-job) \*\//;

function mayNotScan({ application, statement }: LoggedPlan): boolean {
  return application === 'accepted-worker' || LOOKS_UP.test(statement);
}

function scannedTables({ root }: LoggedPlan, indexes: Indexes): string[] {
  return nodesOf(root).flatMap((node) => {
    const table = node['Relation Name'] ?? '';
    if (!GROWS.test(table)) return [];
    if (node['Node Type'] === 'Seq Scan') return [table];
    return isWalk(node, indexes) ? [`${table} along ${node['Index Name']}`] : [];
  });
}

/** The columns of each index, in order. */
type Indexes = ReadonlyMap<string, string[]>;

async function listIndexes(db: Database): Promise<Indexes> {
  const { rows } = await sql<{ name: string; columns: string[] }>`
    SELECT indexrelid::regclass::text AS name,
      ARRAY(SELECT pg_get_indexdef(indexrelid, place, true) FROM generate_series(1, indnkeyatts) AS place) AS columns
    FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)`.execute(
    db,
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/**
 * All rows of a tenant, in the hope that the right one is among the first, are as good as a table: a key is looked for by all
 * of its columns, and where an index has another column before one that is asked for, all of its values are gone through.
 */
function isWalk(node: PlanNode, indexes: Indexes): boolean {
  const columns = indexes.get(node['Index Name'] ?? '') ?? [];
  const condition = node['Index Cond'] ?? '';
  if (condition === '') return false;
  const isAsked = columns.map((column) => new RegExp(`\\b${column}\\b`).test(condition));
  if (isAsked.lastIndexOf(true) > isAsked.indexOf(false) && isAsked.includes(false)) return true;
  const isKey = /^(jobs_.*|attempts_.*|ready|blocked|due)_pkey$/.test(node['Index Name'] ?? '');
  return isKey && !/\b(job_)?id = /.test(condition);
}
