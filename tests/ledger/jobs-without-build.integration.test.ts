import { schemaId } from '@accepted/shared/core/job/build';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { countJobsWithoutBuild } from '@accepted/shared/ledger/jobs/jobs-without-build';
import { makeJob } from '@accepted/testing/factories';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

test('jobs that wait for a build are counted with the reason, and those that wait for their turn are not', async () => {
  const refusedBy = [schemaId({})];
  await insertJobs(ledger.db, [
    makeJob(),
    makeJob({ type: 'unknown' }),
    makeJob({ type: 'unknown' }),
    makeJob({ queue: 'unserved' }),
    makeJob({ refusedBy }),
    makeJob({ refusedBy: ['another'] }),
    makeJob({ type: 'unknown', delayMs: 60_000 }),
  ]);
  expect(await countJobsWithoutBuild(ledger.db)).toEqual([
    { queue: 'default', reason: 'no_build_takes_payload', count: 1 },
    { queue: 'default', reason: 'no_worker', count: 2 },
    { queue: 'unserved', reason: 'no_worker', count: 1 },
  ]);
});
