import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { CARRIED, carriedFrom } from '@accepted/shared/ledger/jobs/hot-rows';
import { countMisplacedInFlight, findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { dispatchOne } from '@accepted/testing/move-jobs';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

test('a job in two tables, in none, or live after its end is found', async () => {
  const { db } = ledger;
  const [twice, lost, ended, orphan] = await Promise.all([1, 2, 3, 4].map(() => ledger.insertOne()));
  if (!twice || !lost || !ended || !orphan) throw new Error('Four jobs were to be made.');
  const right = await ledger.insertOne();
  await cancelJob(db, right.tenantId, right.id);
  expect(await findMisplacedJobs(db)).toEqual([]);

  await dispatchOne(db, twice.id);
  await sql`INSERT INTO ready (${CARRIED}) SELECT ${carriedFrom('in_flight')} FROM in_flight`.execute(db);
  await sql`DELETE FROM ready WHERE job_id = ${lost.id}`.execute(db);
  await dispatchOne(db, ended.id);
  await sql`INSERT INTO attempts (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no,
      revision, losses, suspect, status)
    SELECT tenant_id, job_id, run_at, 2, 1, 1, 0, 1, 0, 0, false, 'succeeded' FROM in_flight
    WHERE job_id = ${ended.id}`.execute(db);
  await sql`DELETE FROM jobs WHERE id = ${orphan.id}`.execute(db);

  const found = await findMisplacedJobs(db);
  const expected = [
    { jobId: twice.id, tables: ['ready', 'in_flight'], ended: null },
    { jobId: lost.id, tables: [], ended: null },
    { jobId: ended.id, tables: ['in_flight'], ended: 'succeeded' },
    { jobId: orphan.id, tables: ['ready'], ended: null },
  ];
  const byId = (a: { jobId: string }, b: { jobId: string }) => (a.jobId < b.jobId ? -1 : 1);
  expect(found.toSorted(byId)).toEqual(expected.toSorted(byId));
  expect(await countMisplacedInFlight(db)).toBe(2);
});
