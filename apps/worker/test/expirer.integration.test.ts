import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { makeJob } from '@accepted/testing/factories';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { startExpirer } from '../src/services/maintenance/expirer.ts';

test('a job that the ledger refuses to end keeps no other from expiring', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const jobs = Array.from({ length: 5 }, () => makeJob({ ttlMs: 1 }));
  const [bad, ...good] = jobs.map((job) => job.id);
  await sql
    .raw(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$`)
    .execute(db);
  await sql
    .raw(`CREATE TRIGGER refuse BEFORE INSERT ON attempts
    FOR EACH ROW WHEN (NEW.job_id = '${bad}') EXECUTE FUNCTION refuse()`)
    .execute(db);
  await insertJobs(db, jobs);
  const expired: string[] = [];
  const errors: unknown[] = [];
  const expirer = startExpirer({
    db,
    onExpired: (jobId) => expired.push(jobId),
    onError: (error) => errors.push(error),
  });
  await waitUntil(() => expired.length === good.length, { until: 'the others have expired' });
  await expirer.stop();
  expect(expired.sort()).toEqual(good.sort());
  expect(String(errors[0])).toContain('refused by the test');
});
