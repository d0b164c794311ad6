import { newUuid } from '@accepted/shared/core/job/id';
import { firstUuidOf } from '@accepted/shared/core/job/week';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { type JobFilter, listJobs } from '@accepted/shared/ledger/jobs/read-jobs';
import { makeJob } from '@accepted/testing/factories';
import { finishJobs } from '@accepted/testing/move-jobs';
import { createTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';

const COMMON = 30_000;
const CHUNK = 1_000;
const RARE = 12;
/** A page has fewer than there are, so that there is one behind it. */
const LIMIT = 8;
/** Some look-ups for each job of a page, and a few for what is not of it; all jobs of the tenant are 700 pages alone. */
const MOST_PAGES = 350;

const tenantId = newUuid();
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;

const HOUR_MS = 3_600_000;
const beganMs = Date.now();
/** So much later the many were made than the others. */
const LATER_MS = 4 * HOUR_MS;

/** A UUIDv7 of a moment to come. */
function laterUuid(): string {
  return firstUuidOf(Date.now() + LATER_MS).slice(0, 14) + newUuid().slice(14);
}

/** A tenant's first jobs are unlike the many that came later. */
beforeAll(async () => {
  database = await createTestDatabase();
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 60_000 };
  db = openDatabase(
    { url: database.url, applicationName: 'test', maxConnections: 1, indexPlansOnly: false, ...timeouts },
    () => undefined,
  );
  const rare = {
    ...{ type: 'rare', queue: 'rare', tags: ['common', 'rare'], concurrencyKey: 'rare' },
    ...{ requestId: 'rare', isRequestIdGiven: true },
  };
  await insertJobs(
    db,
    Array.from({ length: RARE }, () => makeJob({ tenantId, ...rare })),
  );
  await finishJobs(db, { status: 'failed' });
  await insertJobs(
    db,
    Array.from({ length: RARE }, () => makeJob({ tenantId, ...rare })),
  );
  for (let made = 0; made < COMMON; made += CHUNK)
    await insertJobs(
      db,
      Array.from({ length: CHUNK }, () => makeJob({ tenantId, id: laterUuid(), tags: ['common'] })),
    );
  await sql`UPDATE jobs SET created_at = created_at + ${LATER_MS} * interval '1 ms' WHERE type <> 'rare'`.execute(
    db,
  );
  await finishJobs(db);
  await sql`VACUUM (ANALYZE)`.execute(db);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const FILTERS: JobFilter[] = [
  { tag: 'rare' },
  { tag: 'rare', status: 'succeeded' },
  { tag: 'rare', status: 'failed' },
  { tag: 'common', status: 'failed' },
  { tag: 'rare', status: 'queued' },
  { tag: 'rare', type: 'rare' },
  { type: 'rare', status: 'succeeded' },
  { queue: 'rare', status: 'succeeded' },
  { requestId: 'rare', status: 'succeeded' },
  { concurrencyKey: 'rare', status: 'succeeded' },
  { type: 'rare', status: 'failed' },
  { tag: 'common' },
  { tag: 'common', status: 'succeeded' },
  { createdBefore: hoursLater(1) },
  { createdBefore: hoursLater(1), status: 'failed' },
  { createdAfter: hoursLater(3) },
  { createdAfter: hoursLater(6) },
];

function hoursLater(hours: number): Date {
  return new Date(beganMs + hours * HOUR_MS);
}

test.each(FILTERS)('a page by %o is found without a look at other jobs', async (filter) => {
  const expected = countOf(filter);
  const first = await listCounted(filter);
  expect(first.jobs).toHaveLength(Math.min(LIMIT, expected));
  expect(first.pages).toBeLessThan(MOST_PAGES);
  if (expected <= LIMIT) return;
  const afterId = first.jobs.at(-1)?.id ?? '';
  const second = await listCounted(filter, afterId);
  expect(second.jobs).toHaveLength(Math.min(LIMIT, expected - LIMIT));
  expect(second.jobs.every(({ id }) => id < afterId)).toBe(true);
  expect(second.pages).toBeLessThan(MOST_PAGES);
});

function countOf(filter: JobFilter): number {
  const { status, tag, type, queue, requestId, concurrencyKey, createdAfter, createdBefore } = filter;
  if (status === 'queued' || createdAfter?.getTime() === hoursLater(6).getTime()) return 0;
  const isRare =
    [tag, type, queue, requestId, concurrencyKey].includes('rare') || createdBefore !== undefined;
  if (status === 'failed') return RARE;
  if (!isRare) return COMMON;
  return status === undefined ? 2 * RARE : RARE;
}

async function listCounted(filter: JobFilter, afterId?: string) {
  const before = await countPages();
  const jobs = await listJobs(db, tenantId, filter, { limit: LIMIT, ...(afterId && { afterId }) });
  return { jobs, pages: (await countPages()) - before };
}

/** Only this connection is made to tell its statistics at once. */
async function countPages(): Promise<number> {
  await sql`SELECT pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ pages: number }>`
    SELECT sum(coalesce(heap_blks_read, 0) + coalesce(heap_blks_hit, 0) + coalesce(idx_blks_read, 0)
      + coalesce(idx_blks_hit, 0))::float8 AS pages
    FROM pg_statio_user_tables`.execute(database.db);
  return rows[0]?.pages ?? Number.NaN;
}
