import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { CARRIED } from '@accepted/shared/ledger/jobs/hot-rows';
import { sketchLines, sketchQueue } from '@accepted/shared/ledger/queues/sketch-queue';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const MOST_COUNTED = 50_000;

let database: TestDatabase;
/** One connection, so that what it has read can be told. */
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 };
  db = openDatabase(
    { url: database.url, applicationName: 'test', maxConnections: 1, ...timeouts },
    () => undefined,
  );
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => void (await sql`TRUNCATE ready, blocked`.execute(db)));

/** Has so many tenants have so many jobs each in a line of their own. */
async function fill(name: string, tenants: number, jobs: number, key: string | null = null): Promise<void> {
  const [table, placedBy, by] =
    key === null ? ['ready', sql``, sql``] : ['blocked', sql`, placed_by`, sql`, pg_current_xact_id()`];
  await sql`
    INSERT INTO ${sql.table(table)} (${CARRIED}${placedBy})
    SELECT md5(${name}::text || tenant)::uuid, md5(${name}::text || tenant || ' ' || job)::uuid, now(), NULL, 1, 0, 0, 0, 0, 0, NULL, 2,
      0, false, false, 'default', 'test.noop', ${key}::text, NULL, '{}'${by}
    FROM generate_series(1, ${tenants}::integer) AS tenant, generate_series(1, ${jobs}::integer) AS job`.execute(
    db,
  );
}

async function look() {
  const before = await countRead();
  const lines = await sketchLines(db, 'default', undefined);
  const jobs = lines.map((line) => line.jobs);
  return {
    lines,
    jobs,
    counted: jobs.reduce((sum, one) => sum + one, 0),
    read: (await countRead()) - before,
  };
}

/** Counts the entries of indexes that were read in the tables of jobs that wait so far. */
async function countRead(): Promise<number> {
  await sql`SELECT pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ read: number }>`
    SELECT sum(idx_tup_read)::float8 AS read FROM pg_stat_user_indexes WHERE relname IN ('ready', 'blocked')`.execute(
    database.db,
  );
  return rows[0]?.read ?? Number.NaN;
}

test('beside many short lines a long one is counted as far as they leave room', async () => {
  await fill('short', 990, 1);
  await fill('long', 1, MOST_COUNTED + 1);
  const { counted, lines, read } = await look();
  expect(counted).toBe(MOST_COUNTED);
  expect(lines.filter(({ isCounted }) => !isCounted).map(({ jobs }) => jobs)).toEqual([MOST_COUNTED - 990]);
  expect(read).toBeLessThan(MOST_COUNTED + 1_000);
});

test('what lines leave goes to the longer ones until there is no more, whether they wait for a key or not', async () => {
  await fill('short', 300, 3);
  await fill('middle', 200, 120);
  await fill('blocked', 1, 2_000, 'key');
  await fill('long', 2, MOST_COUNTED / 2);
  const { counted, jobs, lines, read } = await look();
  expect(counted).toBe(MOST_COUNTED);
  expect(jobs.filter((one) => one === 3)).toHaveLength(300);
  expect(jobs.filter((one) => one === 120)).toHaveLength(200);
  expect(lines.find(({ blockedBy }) => blockedBy === 'key')).toMatchObject({ jobs: 2_000, isCounted: true });
  const rest = (MOST_COUNTED - 900 - 24_000 - 2_000) / 2;
  expect(lines.filter(({ isCounted }) => !isCounted).map((line) => line.jobs)).toEqual([rest, rest]);
  expect(read).toBeLessThan(MOST_COUNTED + 1_000);
});

test('the jobs of short lines are counted to the end', async () => {
  await fill('short', 3, 5);
  const { lines } = await look();
  expect(lines.map(({ jobs, isCounted }) => ({ jobs, isCounted }))).toEqual(
    Array.from({ length: 3 }, () => ({ jobs: 5, isCounted: true })),
  );
  expect(await sketchLines(db, 'default', lines[1]?.tenantId)).toMatchObject([{ jobs: 5, isCounted: true }]);
});

test('whoever sees as many lines as it looks at knows that there may be more', async () => {
  await fill('some', 999, 1);
  await fill('blocked', 1_000, 1, 'key');
  expect((await sketchQueue(db, 'default')).isCut).toBe(false);
  await fill('more', 2, 1);
  const { isCut, lines } = await sketchQueue(db, 'default');
  expect([isCut, lines.length]).toEqual([true, 2_000]);
});

test('of all that have had much service, those are known that have jobs waiting', async () => {
  await fill('last', 1, 1);
  const last = await sql`UPDATE ready SET tenant_id = 'ffffffff-ffff-7fff-bfff-ffffffffffff'`.execute(db);
  expect(last.numAffectedRows).toBe(1n);
  await sql`
    INSERT INTO passes (queue, tenant_id, pass) SELECT 'default', tenant_id, 100 FROM ready
    UNION ALL SELECT 'default', lpad(n::text, 32, '0')::uuid, n FROM generate_series(1, 1000) AS n`.execute(
    db,
  );
  expect((await sketchQueue(db, 'default')).order.passes).toEqual([
    { tenantId: 'ffffffff-ffff-7fff-bfff-ffffffffffff', pass: 100 },
  ]);
});
