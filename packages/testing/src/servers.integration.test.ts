import { readFile, stat } from 'node:fs/promises';
import { newUuid } from '@accepted/shared/core/job/id';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { startPostgresServer } from './postgres-server.ts';
import { startRedisServer } from './redis-server.ts';
import { spawnProcess } from './spawn-process.ts';
import { createTestDatabase, openTestDatabase } from './test-database.ts';
import { waitUntil } from './wait-until.ts';

test('each test database is migrated and sees nothing of another', async () => {
  await using first = await createTestDatabase();
  await using second = await createTestDatabase();
  await first.db.insertInto('tenants').values({ id: newUuid(), name: 'a', webhook_secret: 's' }).execute();

  expect(await first.db.selectFrom('tenants').selectAll().execute()).toHaveLength(1);
  expect(await second.db.selectFrom('tenants').selectAll().execute()).toHaveLength(0);
});

test('what a crashed PostgreSQL had committed is there after its restart', async () => {
  await using server = await startPostgresServer();
  const db = openTestDatabase(server.url, 1);
  await sql`CREATE TABLE kept AS SELECT 42 AS value`.execute(db);

  await server.stop('immediate');
  await server.start();

  const { rows } = await waitUntil(() => sql`SELECT value FROM kept`.execute(db), { until: 'it answers' });
  expect(rows).toEqual([{ value: 42 }]);
  await db.destroy();
});

test('PostgreSQL starts again after kill -9, with fsync and synchronous_commit on', async () => {
  await using server = await startPostgresServer();

  process.kill(server.pid, 'SIGKILL');
  await server.start();

  const db = openTestDatabase(server.url, 1);
  const { rows } = await sql`SELECT current_setting('fsync') AS fsync,
    current_setting('synchronous_commit') AS commit, current_setting('server_encoding') AS encoding`.execute(
    db,
  );
  expect(rows).toEqual([{ fsync: 'on', commit: 'on', encoding: 'UTF8' }]);
  await db.destroy();
});

test('a Redis that was killed comes back empty, and a frozen one answers when thawed', async () => {
  await using server = await startRedisServer();
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await redis.set('key', 'value');

  await server.kill();
  await server.start();
  expect(await redis.get('key')).toBeNull();

  server.freeze();
  const reply = redis.set('key', 'later');
  server.thaw();
  expect(await reply).toBe('OK');
  redis.disconnect();
});

test('a process that waits for nothing but the end of its Redis does not end before', async () => {
  await using owner = spawnProcess('packages/testing/fixtures/kill-redis.ts');
  expect(await owner.exited).toEqual({ code: 0, signal: null });
  expect(owner.lines).toEqual(['killed twice']);
});

test('servers end, and their files go, when the process that started them is killed', async () => {
  await using owner = spawnProcess('packages/testing/fixtures/start-servers.ts');
  const line = await owner.waitForLine(/^servers /);
  const { postgresPid, redisPid, dataDir } = JSON.parse(line.slice('servers '.length));
  expect(isAlive(postgresPid)).toBe(true);
  expect(isAlive(redisPid)).toBe(true);

  owner.kill();

  await waitUntil(() => !isAlive(postgresPid) && !isAlive(redisPid), { until: 'both servers have ended' });
  await waitUntil(async () => !(await stat(dataDir).catch(() => undefined)), { until: 'the data are gone' });
});

test('a password that others could read is not written', async () => {
  await using owner = spawnProcess('packages/testing/fixtures/start-servers.ts');
  const line = await owner.waitForLine(/^servers /);
  const { dataDir } = JSON.parse(line.slice('servers '.length));
  const passwordFile = `${dataDir}/../password`;

  expect((await stat(passwordFile)).mode & 0o777).toBe(0o600);
  expect(await readFile(passwordFile, 'utf8')).toMatch(/^[0-9a-f]{48}\n$/);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
