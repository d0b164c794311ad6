import { expireJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { changeLive } from '@accepted/testing/move-jobs';
import { testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

test('jobs that nobody started in time expire, running ones do not', async () => {
  const running = await ledger.claimOne({ ttlMs: 60_000 });
  const waiting = await ledger.insertOne({ ttlMs: 60_000 });
  await changeLive(ledger.db, sql`expires_at = now()`, sql`expires_at IS NOT NULL`);
  expect(await expireJobs(ledger.db, 100)).toEqual([waiting.id]);
  expect((await ledger.readJob(running.id)).status).toBe('running');
});

test('a job that was started in time goes on, however long it is tried', async () => {
  const started = await ledger.claimOne({ ttlMs: 60_000 });
  await recordOutcomes(ledger.db, [{ job: started, outcome: { kind: 'release' } }], VERSIONS);
  await changeLive(ledger.db, sql`expires_at = now()`);
  expect(await expireJobs(ledger.db, 100)).toEqual([]);
  const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
  expect(await claimJobs(ledger.db, ledger.workerId, jobs)).toMatchObject([{ id: started.id, attempt: 2 }]);
});
