import { newUuid } from '@accepted/shared/core/job/id';
import { asTenant } from '@accepted/shared/ledger/connection/as-tenant';
import { type Database, isDatabaseUnavailable } from '@accepted/shared/ledger/connection/connect';
import type { Ledger } from '@accepted/shared/ledger/connection/tables';
import { createTestDatabase, openTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

let database: TestDatabase;
let other: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  other = openTestDatabase(database.url);
  await sql`CREATE TABLE tries (n integer); CREATE SEQUENCE tried;
    GRANT ALL ON tries, tried TO accepted_tenant;
    CREATE FUNCTION lose(times bigint, code text) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE n bigint := nextval('tried'); BEGIN
      IF n <= times THEN RAISE 'lost' USING ERRCODE = code; END IF;
      RETURN n;
    END $$`.execute(database.db);
});
beforeEach(async () => {
  await sql`TRUNCATE tries; ALTER SEQUENCE tried RESTART`.execute(database.db);
});
afterAll(async () => {
  await other.destroy();
  await database.drop();
});

test.each(['40001', '40P01'])(
  'a statement that ends with %s is tried again, and written once',
  async (code) => {
    await sql`INSERT INTO tries SELECT lose(3, ${code})`.execute(database.db);
    expect(await countTries()).toBe(1);
  },
);

test('a transaction that loses is done again from its beginning', async () => {
  const ran = await asTenant(database.db, newUuid(), async (tx) => {
    await sql`INSERT INTO tries VALUES (1)`.execute(tx);
    const { rows } = await sql<{ n: string }>`SELECT lose(2, '40001') AS n`.execute(tx);
    return rows[0]?.n;
  });
  expect(ran).toBe('3');
  expect(await countTries()).toBe(1);
});

test('two transactions that wait for each other both end', async () => {
  await sql`INSERT INTO tries VALUES (1), (2)`.execute(database.db);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const update = (n: number, tx: Transaction<Ledger>) =>
    sql`UPDATE tries SET n = n WHERE n = ${n}`.execute(tx);
  const cross = (db: Database, own: number, theirs: number, mine: typeof first, yours: typeof first) =>
    db.transaction().execute(async (tx) => {
      await update(own, tx);
      mine.resolve();
      await yours.promise;
      await update(theirs, tx);
    });
  await Promise.all([cross(database.db, 1, 2, first, second), cross(other, 2, 1, second, first)]);
});

test('one that loses all the time is told as "try later" before a request gives up', async () => {
  const startedAt = performance.now();
  const error = await sql`SELECT lose(1000, '40001')`.execute(database.db).catch((thrown: unknown) => thrown);
  expect(isDatabaseUnavailable(error)).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  const { rows } = await sql<{ tried: number }>`SELECT last_value::int AS tried FROM tried`.execute(
    database.db,
  );
  expect(rows[0]?.tried).toBe(6);
});

async function countTries(): Promise<number> {
  const { rows } = await sql<{ tries: number }>`SELECT count(*)::int AS tries FROM tries`.execute(other);
  return rows[0]?.tries ?? 0;
}
