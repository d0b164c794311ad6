import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { JobView } from '@accepted/shared/contract/job-view';
import { migrateEngine } from '@accepted/shared/engine/migrate-engine';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { createTestDatabase, MIGRATIONS_DIR, type TestDatabase } from '@accepted/testing/test-database';
import { createTestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

/** Whatever an operator, or another program on the same server, may have set for a database. */
const HOSTILE = {
  DateStyle: "'German, DMY'",
  IntervalStyle: 'sql_standard',
  TimeZone: "'Asia/Kolkata'",
  client_encoding: 'LATIN1',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  array_nulls: 'off',
  transform_null_equals: 'on',
  gin_fuzzy_search_limit: '1',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  search_path: 'nowhere',
  row_security: 'off',
  statement_timeout: '1',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '1',
  idle_session_timeout: '20',
  synchronous_commit: 'off',
  jit: 'on',
  jit_above_cost: '0',
  plan_cache_mode: 'force_custom_plan',
  enable_indexscan: 'off',
  enable_bitmapscan: 'off',
  enable_nestloop: 'off',
  enable_partition_pruning: 'off',
};

async function setHostile({ db, url }: TestDatabase): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  for (const [setting, value] of Object.entries(HOSTILE))
    await sql.raw(`ALTER ROLE postgres IN DATABASE ${name} SET ${setting} = ${value}`).execute(db);
}

test.each(['redis', 'postgres'] as const)(
  'what is set for the role and the database changes nothing, from the migration to the webhook (%s engine)',
  async (engine) => {
    await using database = await createTestDatabase({ engine });
    await using redis = await createTestRedis();
    await sql`DROP SCHEMA public, bullmq CASCADE; CREATE SCHEMA public`.execute(database.db);
    await setHostile(database);
    await migrateLedger(database.url, MIGRATIONS_DIR);
    await migrateEngine(database.url);
    await using installation = await startInstallation({
      databaseUrl: database.url,
      redisUrl: engine === 'redis' ? redis.url : undefined,
      env: { ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' },
    });
    const worker = await installation.startWorker();
    const hooks = await receiveWebhooks();

    const jobs = await Promise.all(
      Array.from({ length: 20 }, (_, n) => submit(installation, n, { url: hooks.url })),
    );
    for (const { id, createdAt } of jobs) {
      const ended = await untilEnded(installation, id);
      expect(ended.status).toBe('succeeded');
      expect(Date.parse(ended.createdAt)).toBe(Date.parse(createdAt));
      expect(Math.abs(Date.now() - Date.parse(createdAt))).toBeLessThan(120_000);
    }
    await waitUntil(() => hooks.ids.size === jobs.length, {
      until: 'all webhooks have come',
      timeoutMs: 30_000,
    });
    const dead = await installation.accept({ type: 'test.require-file', payload: { file: '/nowhere' } });
    expect((await untilEnded(installation, dead.id)).status).toBe('failed');
    for (const path of [
      `/v1/jobs/${dead.id}`,
      '/v1/jobs?limit=5',
      '/v1/dead-letters',
      '/v1/queues',
      '/metrics',
    ])
      expect((await installation.request(path)).status, path).toBe(200);
    const faults = [...worker.lines, ...installation.api.lines].filter((line) =>
      /a background service failed|the queue engine is in trouble|"statusCode":500/.test(line),
    );
    expect(faults).toEqual([]);
  },
  180_000,
);

test('each session of ours has what the code relies on, and waits for the disk at a commit', async () => {
  await using database = await createTestDatabase();
  await setHostile(database);
  const show = async (url: string) => {
    const options = { url, applicationName: 'test', maxConnections: 1 };
    const db = openDatabase(
      { ...options, connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 },
      () => undefined,
    );
    const names = [...Object.keys(HOSTILE), 'work_mem'];
    const { rows } = await sql<{ name: string; value: string }>`
      SELECT name, current_setting(name) AS value FROM unnest(${names}::text[]) AS name`.execute(db);
    await db.destroy();
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  };
  const name = new URL(database.url).pathname.slice(1);
  expect(await show(database.url)).toMatchObject({
    DateStyle: 'ISO, MDY',
    default_transaction_isolation: 'read committed',
    search_path: 'public',
    synchronous_commit: 'on',
    jit: 'off',
    idle_session_timeout: '0',
    statement_timeout: '5s',
  });
  for (const [setting, value] of [
    ['synchronous_commit', 'remote_apply'],
    ['work_mem', "'8MB'"],
  ])
    await sql.raw(`ALTER ROLE postgres IN DATABASE ${name} SET ${setting} = ${value}`).execute(database.db);
  // What is stronger, or none of our business, stays the operator's; so does the schema that the URL asks for.
  expect(await show(`${database.url}?options=-c%20search_path%3Dours`)).toMatchObject({
    synchronous_commit: 'remote_apply',
    work_mem: '8MB',
    search_path: 'ours',
  });
});

async function receiveWebhooks(): Promise<{ url: string; ids: Set<string> }> {
  const ids = new Set<string>();
  const server = createServer((request, response) => {
    ids.add(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ids };
}

function submit(installation: Installation, n: number, webhook: object): Promise<JobView> {
  const payload = { file: join(installation.folder, 'effects'), n };
  const when = n % 4 === 0 ? { delayMs: 500 } : {};
  return installation.accept({ type: 'test.append-line', payload, webhook, ...when, tags: [`n${n}`] });
}

function untilEnded(installation: Installation, id: string): Promise<JobView> {
  return waitUntil(
    async () => {
      const job = await installation.readJob(id);
      return job.finishedAt === null ? undefined : job;
    },
    { until: `${id} has ended`, timeoutMs: 60_000 },
  );
}
