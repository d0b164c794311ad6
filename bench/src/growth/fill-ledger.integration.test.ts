import { createTestDatabase } from '@accepted/testing/test-database';
import pg from 'pg';
import { expect, test } from 'vitest';
import {
  countBefore,
  countHeld,
  fillBacklog,
  fillFinished,
  findHeld,
  ledgerBytes,
  makePastWeeks,
  settleLedger,
  someJobIds,
} from './fill-ledger.ts';

const TENANT = '0199a3a0-0000-7000-8000-000000000000';

test('a filled ledger has its jobs in the weeks of their ids, and its finished ones with an attempt', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  const postgres = new pg.Pool({ connectionString: database.url });
  const filling = { postgres, tenantId: TENANT, payloadJson: '{}', onProgress: () => undefined };

  await makePastWeeks(postgres);
  await fillBacklog({ ...filling, jobs: 300 });
  await fillFinished({ ...filling, jobs: 500 });
  await settleLedger(postgres);

  const { rows } = await postgres.query(`
    SELECT count(*)::int AS jobs, count(DISTINCT jobs.tableoid)::int AS weeks, count(attempts)::int AS attempts,
      bool_and(uuid_extract_timestamp(id) = created_at) AS dated, max(created_at) < now() AS past
    FROM jobs LEFT JOIN attempts ON job_id = id`);
  expect(rows).toEqual([{ jobs: 800, weeks: expect.any(Number), attempts: 500, dated: true, past: true }]);
  // Four weeks touch five, if today is no Monday; the database may have been made in the week before.
  expect(rows[0].weeks).toBeGreaterThanOrEqual(4);
  expect(await countHeld(postgres)).toBe(300);
  expect(new Set(await someJobIds(postgres, 50)).size).toBeGreaterThan(20);
  expect(await ledgerBytes(postgres)).toBeGreaterThan(0);
  await postgres.end();
});

test('a backlog that was added to is counted in the order in which it is dispatched', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  const postgres = new pg.Pool({ connectionString: database.url });
  const filling = { postgres, tenantId: TENANT, payloadJson: '{}', onProgress: () => undefined };
  await makePastWeeks(postgres);
  await fillBacklog({ ...filling, jobs: 300 });
  // Their ids are between those of the first.
  await fillBacklog({ ...filling, jobs: 200 });

  // Given back, as by a worker that was stopped: these go first.
  await postgres.query(
    'UPDATE ready SET dispatch_no = 1 WHERE job_id IN (SELECT job_id FROM ready ORDER BY job_id DESC LIMIT 50)',
  );
  expect(await countBefore(postgres, TENANT, await findHeld(postgres, TENANT, 20))).toBe(20);
  const place = await findHeld(postgres, TENANT, 250);
  expect(await countBefore(postgres, TENANT, place)).toBe(250);
  await postgres.query('DELETE FROM ready WHERE dispatch_no = 1');
  await postgres.query(
    'DELETE FROM ready WHERE placed_by = (SELECT min(placed_by::text::numeric) FROM ready)::text::xid8',
  );
  expect(await countBefore(postgres, TENANT, place)).toBe(0);
  await postgres.end();
});
