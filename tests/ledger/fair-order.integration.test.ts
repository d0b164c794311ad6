import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { storePasses } from '@accepted/shared/ledger/jobs/store-passes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import type { DispatchedJob, MarkedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { makeJob } from '@accepted/testing/factories';
import { testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const [large, small] = [newUuid(), newUuid()];

let picture: QueuePicture | undefined;
beforeEach(async () => {
  picture = undefined;
  await sql`DELETE FROM passes`.execute(ledger.db);
  await sql`UPDATE queues SET present_pass = 0`.execute(ledger.db);
});

async function insert(tenantId: string, count: number): Promise<void> {
  await insertJobs(
    ledger.db,
    Array.from({ length: count }, () => makeJob({ tenantId })),
  );
}

async function dispatch(room: number): Promise<DispatchedJob[]> {
  const turn = await dispatchJobs(ledger.db, 'default', testLane(room), { picture });
  picture = turn.picture;
  return turn.jobs;
}

/** Ends jobs that ran for so long; without `ranMs` nobody knows. */
async function finish(jobs: DispatchedJob[], ranMs?: number): Promise<void> {
  const claimed = (await claimJobs(ledger.db, ledger.workerId, jobs)).flatMap((job) => job ?? []);
  await sql`UPDATE in_flight SET started_at = now() - interval '1 minute'`.execute(ledger.db);
  await recordOutcomes(
    ledger.db,
    claimed.map((job) => ({ job, outcome: succeed, ...(ranMs !== undefined && { ranMs }) })),
    VERSIONS,
  );
}

const countOf = (jobs: DispatchedJob[], tenantId: string) =>
  (jobs as MarkedJob[]).filter((job) => job.tenantId === tenantId).length;

test('a tenant whose jobs ran for long waits until others have had as much time', async () => {
  await insert(large, 50);
  await insert(small, 50);
  const first = await dispatch(2);
  expect([countOf(first, large), countOf(first, small)]).toEqual([1, 1]);
  await finish(
    first.filter((job) => countOf([job], large) === 1),
    1_000,
  );
  await finish(
    first.filter((job) => countOf([job], small) === 1),
    10,
  );
  const second = await dispatch(20);
  expect([countOf(second, large), countOf(second, small)]).toEqual([0, 20]);
});

test('an attempt that was lost with its worker counts for nothing', async () => {
  await insert(large, 50);
  await insert(small, 50);
  const first = await dispatch(20);
  await finish(first.filter((job) => countOf([job], large) === 1));
  const second = await dispatch(20);
  // Both have had as much: what the small one still has in flight was charged to it.
  expect(countOf([...first, ...second], large)).toBeGreaterThanOrEqual(2 * countOf(first, large));
});

test('a job that was taken back before it ran counts for nothing', async () => {
  await insert(large, 30);
  await insert(small, 30);
  const first = await dispatch(20);
  await sql`
    WITH back AS (DELETE FROM in_flight WHERE tenant_id = ${large} RETURNING *)
    INSERT INTO ready (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
      priority, losses, suspect, has_followers, queue, type, refused_by)
    SELECT tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision, priority,
      losses, suspect, has_followers, queue, type, refused_by FROM back`.execute(ledger.db);
  expect(countOf(first, large)).toBe(10);
  expect(countOf(await dispatch(20), large)).toBe(10);
});

test('the dispatcher that follows goes on in the fair order, and one that was followed stores nothing', async () => {
  await insert(large, 50);
  await finish(await dispatch(1), 5_000);
  await dispatch(0);
  if (picture) await storePasses(ledger.db, 'default', picture);
  const followed = picture;
  picture = undefined;
  await insert(small, 40);
  const jobs = await dispatch(20);
  expect([countOf(jobs, large), countOf(jobs, small)]).toEqual([0, 20]);

  const stored = () => surveyQueue(ledger.db, 'default').then(({ order }) => order.state());
  const before = await stored();
  followed?.order.charge(small, 60_000);
  if (followed) await storePasses(ledger.db, 'default', followed);
  expect(await stored()).toEqual(before);
});

test('passes that the present has overtaken are stored no more', async () => {
  await insert(large, 1);
  await finish(await dispatch(1), 5_000);
  await dispatch(0);
  const store = async () => picture && (await storePasses(ledger.db, 'default', picture));
  await store();
  const stored = () => surveyQueue(ledger.db, 'default').then(({ order }) => order.state());
  expect((await stored()).passes).toHaveLength(1);
  picture?.order.charge(small, 60_000);
  picture?.order.charge(small, 0);
  await store();
  expect((await stored()).passes).toEqual([]);
});
