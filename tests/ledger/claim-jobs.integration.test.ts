import { newUuid } from '@accepted/shared/core/job/id';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { beat } from '@accepted/shared/ledger/workers/beat';
import { changeLive } from '@accepted/testing/move-jobs';
import { testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

describe('claimJobs', () => {
  test('of many claims of one dispatch exactly one gets the job', async () => {
    await ledger.insertOne();
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
    const claims = await Promise.all(
      Array.from({ length: 10 }, () => claimJobs(ledger.db, ledger.workerId, jobs)),
    );
    expect(claims.flat().filter(Boolean)).toHaveLength(1);
  });

  test('a delivery that came twice in one batch runs once', async () => {
    await ledger.insertOne();
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
    expect((await claimJobs(ledger.db, ledger.workerId, [...jobs, ...jobs])).filter(Boolean)).toHaveLength(1);
  });

  test('an old dispatch number claims nothing once the job was taken back', async () => {
    await ledger.insertOne();
    const { jobs: old } = await dispatchJobs(ledger.db, 'default', testLane(10));
    expect(await takeBack(ledger.db, old)).toBe(1);
    expect(await claimJobs(ledger.db, ledger.workerId, old)).toEqual([undefined]);
    const { jobs: anew } = await dispatchJobs(ledger.db, 'default', testLane(10));
    expect(await claimJobs(ledger.db, ledger.workerId, old)).toEqual([undefined]);
    expect((await claimJobs(ledger.db, ledger.workerId, anew))[0]?.attempt).toBe(1);
  });

  test('canceled and expired jobs, and workers without a lease, claim nothing', async () => {
    const tenantId = newUuid();
    const canceled = await ledger.insertOne({ tenantId });
    await ledger.insertOne({ ttlMs: 60_000 });
    await ledger.insertOne();
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
    await cancelJob(ledger.db, tenantId, canceled.id);
    await changeLive(ledger.db, sql`expires_at = now()`, sql`expires_at IS NOT NULL`);
    await ledger.loseWorker(ledger.workerId);
    expect(await claimJobs(ledger.db, ledger.workerId, jobs)).toEqual([undefined, undefined, undefined]);
    const state = { heartbeatMs: 3_000, finishedPerSecond: {}, engineUp: true };
    expect(await beat(ledger.db, ledger.workerId, state)).toMatchObject({ isAlive: false });
    expect((await claimJobs(ledger.db, await ledger.startWorker(), jobs)).filter(Boolean)).toHaveLength(1);
  });
});
