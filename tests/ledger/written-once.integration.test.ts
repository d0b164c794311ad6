import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { replayTenantsDeadLetter } from '@accepted/shared/ledger/dead-letters/act-on-dead-letters';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { rescheduleJob } from '@accepted/shared/ledger/jobs/reschedule-jobs';
import type { DispatchedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import { makeJob } from '@accepted/testing/factories';
import { testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const JOBS = 50;
/** Half of the jobs share a key: most of those wait in `blocked` whenever a dispatcher has looked. */
const KEY = { concurrencyKey: 'written', concurrencyLimit: 5 };
const error = { code: 'x', message: 'm', retryable: true };

test('what was asked and what came of it is never changed, and no change in flight touches an index', async () => {
  const { db } = ledger;
  const tenantId = newUuid();
  const jobs = Array.from({ length: JOBS }, (_, no) => makeJob({ tenantId, ...(no % 2 === 0 && KEY) }));
  const before = await countChanges(db);
  await insertJobs(db, jobs);
  await putOff(jobs.slice(0, 10));
  await takeBack(db, await dispatch(JOBS));
  const blocked = await db.selectFrom('blocked').select(['tenant_id as tenantId', 'job_id as id']).execute();
  expect(blocked).toHaveLength(JOBS / 2 - KEY.concurrencyLimit);
  await putOff(blocked.slice(0, 5));
  await cancelJob(db, tenantId, blocked[5]?.id ?? '');
  await runAll(async (job) => {
    await writeProgress(db, job, '{"at":1}');
    await cancelJob(db, tenantId, job.id);
    return { kind: 'retry', delayMs: 0, error };
  }, 10);
  await runAll(async () => ({ kind: 'retry', delayMs: 0, error }), 10);
  await queueDueJobs(db, JOBS);
  await runAll(async () => ({ kind: 'deadLetter', reason: 'permanent_error', error }), 10);
  for (const { id } of await db.selectFrom('dead_letters').select('id').execute())
    await replayTenantsDeadLetter(db, {
      tenantId,
      id,
      act: { actor: 'test', reason: 'test' },
      edit: { payloadJson: '{"n":2}', refusedBy: [] },
    });
  while (await isAnyQueued()) await runAll(async () => succeed, JOBS);
  const after = await countChanges(db);

  const changed = (table: string) => (after.get(table)?.changed ?? 0) - (before.get(table)?.changed ?? 0);
  expect(['jobs', 'attempts', 'ready', 'blocked', 'due'].map((table) => [table, changed(table)])).toEqual([
    ['jobs', 0],
    ['attempts', 0],
    ['ready', 0],
    ['blocked', 0],
    ['due', 0],
  ]);
  expect(changed('in_flight')).toBeGreaterThan(JOBS);
  expect((after.get('in_flight')?.hot ?? 0) - (before.get('in_flight')?.hot ?? 0)).toBe(changed('in_flight'));
  expect(await findMisplacedJobs(db)).toEqual([]);
});

type Outcome = Parameters<typeof recordOutcomes>[1][number]['outcome'];
type Claimed = NonNullable<Awaited<ReturnType<typeof claimJobs>>[number]>;

/** Gives jobs another time to start at, and then the one that they had. */
async function putOff(jobs: { tenantId: string; id: string }[]): Promise<void> {
  for (const delayMs of [60_000, 0])
    for (const { tenantId, id } of jobs) await rescheduleJob(ledger.db, tenantId, id, { delayMs });
}

async function isAnyQueued(): Promise<boolean> {
  const queued = ledger.db.selectFrom('current_jobs').select('id').where('status', '=', 'queued');
  return (await queued.limit(1).execute()).length > 0;
}

/** Takes turns until there is nothing to do, or so many jobs are in flight. */
async function dispatch(count: number): Promise<DispatchedJob[]> {
  const { jobs, moreToDo } = await dispatchJobs(ledger.db, 'default', testLane(count));
  return moreToDo && jobs.length > 0 ? [...jobs, ...(await dispatch(count))] : jobs;
}

/** Runs so many of the jobs that wait, and ends each as `run` says. */
async function runAll(run: (job: Claimed) => Promise<Outcome>, count: number): Promise<void> {
  const { db, workerId } = ledger;
  const claimed = (await claimJobs(db, workerId, await dispatch(count))).flatMap((job) => job ?? []);
  expect(claimed.length).toBeGreaterThan(0);
  const ended = await Promise.all(claimed.map(async (job) => ({ job, outcome: await run(job) })));
  await recordOutcomes(db, ended, VERSIONS);
}

/** Counts the rows of each table, all weeks together, that were changed where they are, and how many of those by HOT. */
async function countChanges(db: Database): Promise<Map<string, { changed: number; hot: number }>> {
  await sql`SELECT pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ name: string; changed: number; hot: number }>`
    SELECT substring(relname FROM '^(jobs|attempts|ready|blocked|due|in_flight)') AS name, sum(n_tup_upd)::int AS changed,
      sum(n_tup_hot_upd)::int AS hot
    FROM pg_stat_user_tables GROUP BY 1`.execute(db);
  return new Map(rows.map(({ name, ...counts }) => [name, counts]));
}
