import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { EXIT_MISCONFIGURED } from '@accepted/shared/runtime/config/parse-config';
import { secretsKey } from '@accepted/testing/secrets-key';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase, MIGRATIONS_DIR, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { expect, onTestFinished, test, vi } from 'vitest';

/** Whole processes start here; a busy machine takes its time. */
vi.setConfig({ testTimeout: 180_000 });

/** Makes sessions that look there first believe that the server is a PostgreSQL 14. */
async function ageServer({ db, url }: TestDatabase): Promise<string> {
  await sql`CREATE SCHEMA old;
    CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS $$
      SELECT CASE name WHEN 'server_version_num' THEN '140011' WHEN 'server_version' THEN '14.11'
        ELSE pg_catalog.current_setting(name) END $$`.execute(db);
  return `${url}?options=-c%20search_path%3Dold,pg_catalog,public`;
}

test.each([
  ['api', EXIT_MISCONFIGURED],
  ['worker', EXIT_MISCONFIGURED],
  ['migrate', 1],
])('the %s refuses a PostgreSQL 14 in one sentence', async (name, code) => {
  await using database = await createTestDatabase();
  const env = { DATABASE_URL: await ageServer(database), SECRETS_KEY: secretsKey };
  await using program = spawnProcess(`apps/${name}/src/main.ts`, { env });
  expect(await program.exited).toEqual({ code, signal: null });
  expect(program.lines).toEqual([
    expect.stringMatching(
      /Accepted needs PostgreSQL 15 or later, and this server is 14\.11: upgrade it, or set DATABASE_URL to another one\.$/,
    ),
  ]);
});

test('a worker refuses a Redis 6 in one sentence', async () => {
  await using database = await createTestDatabase();
  const server = createServer((socket) => {
    const info = '# Server\r\nredis_version:6.2.14\r\n';
    socket.on('data', () => socket.write(`$${info.length}\r\n${info}\r\n`)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: `redis://127.0.0.1:${port}`,
    SECRETS_KEY: secretsKey,
  };
  await using program = spawnProcess('apps/worker/src/main.ts', { env });
  expect(await program.exited).toEqual({ code: EXIT_MISCONFIGURED, signal: null });
  expect(program.lines.join('\n')).toContain(
    'The worker could not start: Accepted needs Redis 7.0 or later, and this server is 6.2.14',
  );
});

test('a migration makes no second ledger beside one that is in another schema', async () => {
  await using database = await createTestDatabase();
  await sql`ALTER SCHEMA public RENAME TO ours; CREATE SCHEMA public`.execute(database.db);
  await expect(migrateLedger(database.url, MIGRATIONS_DIR)).rejects.toThrow(
    'There is a ledger in the schema "ours", where connections do not look: add ?options=-c%20search_path%3Dours to DATABASE_URL.',
  );
  const { ran } = await migrateLedger(`${database.url}?options=-c%20search_path%3Dours`, MIGRATIONS_DIR);
  expect(ran).toEqual([]);
});

test('what a server does that can lose a 202 stands in the log of the API and of the worker', async () => {
  await using database = await createTestDatabase();
  await sql`CREATE SCHEMA loose;
    CREATE FUNCTION loose.current_setting(name text, missing boolean) RETURNS text LANGUAGE sql AS $$
      SELECT CASE name WHEN 'fsync' THEN 'off' ELSE pg_catalog.current_setting(name, missing) END $$`.execute(
    database.db,
  );
  const env = {
    DATABASE_URL: `${database.url}?options=-c%20search_path%3Dloose,pg_catalog,public`,
    SECRETS_KEY: secretsKey,
    PORT: '0',
  };
  for (const name of ['api', 'worker']) {
    await using program = spawnProcess(`apps/${name}/src/main.ts`, { env });
    await program.waitForLine(/Postgres runs with fsync = off: a crash .* can lose jobs/, 30_000);
  }
});
