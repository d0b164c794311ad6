import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { startPostgresReplica } from './postgres-replica.ts';
import { startPostgresServer } from './postgres-server.ts';
import { openTestDatabase } from './test-database.ts';

test('a synchronous replica has what its primary has committed, and takes writes once it is promoted', async () => {
  await using primary = await startPostgresServer();
  const before = openTestDatabase(primary.url, 1);
  await sql`CREATE TABLE kept (value int)`.execute(before);
  await using replica = await startPostgresReplica(primary);
  await replica.makeSynchronous();
  await sql`INSERT INTO kept VALUES (42)`.execute(before);
  await before.destroy();
  await primary.stop('immediate');

  await replica.promote();

  const after = openTestDatabase(replica.url, 1);
  expect((await sql`INSERT INTO kept VALUES (43) RETURNING value`.execute(after)).rows).toEqual([
    { value: 43 },
  ]);
  expect((await sql`SELECT value FROM kept ORDER BY value`.execute(after)).rows).toEqual([
    { value: 42 },
    { value: 43 },
  ]);
  await after.destroy();
});

test('a replica of a promoted replica follows it', async () => {
  await using first = await startPostgresServer();
  await using second = await startPostgresReplica(first);
  await second.promote();
  await using third = await startPostgresReplica(second);
  await third.makeSynchronous();
  await third.promote();
  const db = openTestDatabase(third.url, 1);
  const { rows } = await sql`SELECT timeline_id FROM pg_control_checkpoint()`.execute(db);
  expect(rows).toHaveLength(1);
  await db.destroy();
});
