import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import { describe, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

describe('writeProgress', () => {
  test('the newest progress of the attempt that holds the job is kept, each under a version of its own', async () => {
    const job = await ledger.claimOne();
    const { version } = await ledger.readJob(job.id);
    await writeProgress(ledger.db, job, '{"percent":1}');
    await writeProgress(ledger.db, job, '{"percent":2}');
    expect(await ledger.readJob(job.id)).toMatchObject({ progress: { percent: 2 }, version: version + 2 });
  });

  test('an attempt whose token does not hold the job changes nothing', async () => {
    const job = await ledger.claimOne();
    const before = await ledger.readJob(job.id);
    await writeProgress(ledger.db, { id: job.id, attempt: job.attempt - 1 }, '"stale"');
    expect(await ledger.readJob(job.id)).toEqual(before);
  });

  test('an attempt that has ended changes nothing', async () => {
    const job = await ledger.claimOne();
    await recordOutcomes(ledger.db, [{ job, outcome: succeed }], VERSIONS);
    const before = await ledger.readJob(job.id);
    await writeProgress(ledger.db, job, '"late"');
    expect(await ledger.readJob(job.id)).toEqual(before);
  });
});
