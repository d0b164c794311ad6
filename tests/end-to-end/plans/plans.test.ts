import { join } from 'node:path';
import { CARRIED } from '@accepted/shared/ledger/jobs/hot-rows';
import { finishJobs } from '@accepted/testing/move-jobs';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type Installation, startInstallation } from '../installation.ts';
import { hasDisabledNode, type LoggedPlan, nodesOf, type PlanNode, startPlanLog } from './plan-log.ts';

const TIMEOUT_MS = 300_000;
const MANY = 100_000;

test.each(['system', 'embedded'] as const)(
  'every plan goes through indexes, none holds what is disabled, none is compiled, whatever the tables held when it was made (%s PostgreSQL)',
  async (kind) => {
    await using log = await startPlanLog(kind);
    await using database = await createTestDatabase(log.url);
    await using installation = await startInstallation({ databaseUrl: database.url });
    await installation.startWorker();
    await sql`INSERT INTO queues (name) VALUES ('held')`.execute(database.db);
    const faults = new Set<string>();
    const check = async (when: string) => {
      await useEverything(installation);
      const indexes = await listIndexes(database);
      for (const fault of describeFaults(when, await log.read(), indexes)) faults.add(fault);
    };
    await check('in a new ledger');
    await empty(database);
    await check('with the statistics of an empty ledger');
    await fill(database);
    await check('with many jobs and the statistics of an empty ledger');
    await sql`ANALYZE`.execute(database.db);
    await check('with many jobs and their statistics');
    await empty(database);
    await check('after it was emptied');
    expect([...faults]).toEqual([]);
  },
  TIMEOUT_MS,
);

/** A table that a vacuum has found empty costs nothing to scan: the worst time to make a plan that is kept. */
async function empty({ db }: TestDatabase): Promise<void> {
  for (const table of ['ready', 'due', 'in_flight', 'attempts', 'jobs'])
    await sql`DELETE FROM ${sql.table(table)}`.execute(db);
  await sql`VACUUM ANALYZE`.execute(db);
}

/** Half of the jobs wait, in a queue that no worker serves, half are finished. */
async function fill({ db }: TestDatabase): Promise<void> {
  await sql`
    WITH written AS (
      INSERT INTO jobs (id, tenant_id, type, queue, priority, payload, max_attempts, backoff, timeout_ms, tags, metadata,
        run_at)
      SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7' || left(md5(n::text), 19))::uuid,
        md5('one')::uuid, 'test.held', 'held', 2, '{}', 3, '{}', 1000, '[]', '{}', now()
      FROM generate_series(1, ${MANY}) AS n
      RETURNING *)
    INSERT INTO ready (${CARRIED})
    SELECT tenant_id, id, run_at, NULL, 1, 0, 0, 0, 0, 0, NULL, priority, 0, false, false, queue, type, NULL, NULL, '{}'
    FROM written`.execute(db);
  await finishJobs(db, { which: sql`right(job_id::text, 1) > '7'` });
}

/** Has the API and a worker run the statements of a job's life, and of the services beside it. */
async function useEverything(installation: Installation): Promise<void> {
  const file = join(installation.folder, 'file');
  const submit = async (body: object, headers = {}) => (await installation.accept(body, headers)).id;
  const append = { type: 'test.append-line', payload: { file, n: 1 } };
  const ids = await Promise.all([
    submit(append),
    submit(append, { 'idempotency-key': crypto.randomUUID() }),
    submit({ ...append, delayMs: 500 }),
    submit({ ...append, concurrencyKey: 'one' }),
    submit({ ...append, webhook: { url: 'http://127.0.0.1:1/hook' } }),
    submit({ type: 'test.require-file', payload: { file: `${file}-never` } }),
  ]);
  for (const id of ids)
    await waitUntil(async () => (await installation.readJob(id)).finishedAt !== null, {
      until: `${id} has ended`,
      timeoutMs: 20_000,
    });
  for (const path of READS) expect((await installation.request(path)).status, path).toBe(200);
  const [id] = ids;
  for (const path of [
    `/v1/jobs/${id}`,
    `/v1/jobs/${id}/result`,
    `/v1/jobs/${id}/attempts`,
    `/v1/jobs/${id}/explain`,
  ])
    expect((await installation.request(path)).status, path).toBe(200);
}

const READS = [
  '/v1/jobs',
  '/v1/jobs?status=failed',
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
const GROWS = /^(jobs|attempts|ready|due|in_flight|idempotency_keys|dead_letters)/;

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

async function listIndexes({ db }: TestDatabase): Promise<Indexes> {
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
  const isKey = /^(jobs_.*|attempts_.*|ready|due)_pkey$/.test(node['Index Name'] ?? '');
  return isKey && !/\b(job_)?id = /.test(condition);
}
