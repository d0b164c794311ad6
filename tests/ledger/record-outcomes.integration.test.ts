import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { newUuid } from '@accepted/shared/core/job/id';
import { discardDeadLetter, replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { listOrphanedJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import { closeBreaker, openBreaker } from '@accepted/shared/ledger/outbound/breakers';
import { letHeldJobsGo } from '@accepted/shared/ledger/outbound/held-jobs';
import { testLane } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

async function isCloserWaiting(): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%close-breaker%'`.execute(
    ledger.db,
  );
  return rows.length > 0;
}

const deadLetter: Outcome = {
  kind: 'deadLetter',
  reason: 'attempts_exhausted',
  error: {
    code: 'handler_error',
    message: 'no luck',
    retryable: true,
    stack: 'Error: no luck\n    at run (job.ts:1:1)',
  },
};

describe('recordOutcomes', () => {
  test('an outcome is recorded once; a second one with the same token is fenced', async () => {
    const job = await ledger.claimOne();
    expect(await recordOutcomes(ledger.db, [{ job, outcome: succeed }], VERSIONS)).toEqual(['succeeded']);
    expect(await recordOutcomes(ledger.db, [{ job, outcome: deadLetter }], VERSIONS)).toEqual(['fenced']);
    expect(await ledger.readJob(job.id)).toMatchObject({
      status: 'succeeded',
      result: { ok: true },
      dead_letter_id: null,
    });
    expect(await ledger.db.selectFrom('dead_letters').select('id').execute()).toEqual([]);
    expect(
      await ledger.db.selectFrom('attempts').select(['attempt', 'outcome', 'worker_id']).execute(),
    ).toEqual([{ attempt: 1, outcome: 'succeeded', worker_id: ledger.workerId }]);
  });

  test('a job that is canceled while it waits for a retry keeps the error and the progress of its attempt', async () => {
    const job = await ledger.claimOne();
    await writeProgress(ledger.db, job, '{"at":1}');
    const { error } = deadLetter;
    await recordOutcomes(ledger.db, [{ job, outcome: { kind: 'retry', delayMs: 60_000, error } }], VERSIONS);
    const waiting = await ledger.readJob(job.id);
    expect(waiting).toMatchObject({ error: { code: error.code, attempt: 1 }, progress: { at: 1 } });
    await cancelJob(ledger.db, job.tenantId, job.id);
    const { error: kept, progress, started_at, worker_id } = waiting;
    expect(await ledger.readJob(job.id)).toMatchObject({
      ...{ status: 'canceled', error: kept, progress, started_at, worker_id, attempt: 1 },
    });
  });

  test('a zombie whose job was rescued and claimed again cannot write', async () => {
    const zombie = await ledger.claimOne();
    await ledger.loseWorker(ledger.workerId);
    const [orphan] = await listOrphanedJobs(ledger.db, 10);
    if (!orphan) throw new Error('There is no orphan.');
    const lost = { code: 'worker_lost', message: 'gone', retryable: true };
    await recordOutcomes(
      ledger.db,
      [{ job: orphan, outcome: { kind: 'retry', delayMs: 0, error: lost } }],
      VERSIONS,
    );
    ledger.workerId = await ledger.startWorker();
    await queueDueJobs(ledger.db, 10);
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
    const [second] = await claimJobs(ledger.db, ledger.workerId, jobs);
    expect(second).toMatchObject({ id: zombie.id, attempt: 2, attemptsMade: 2 });
    expect(await recordOutcomes(ledger.db, [{ job: zombie, outcome: succeed }], VERSIONS)).toEqual([
      'fenced',
    ]);
    expect((await ledger.readJob(zombie.id)).status).toBe('running');
  });

  test('a release gives the attempt back, but the fencing token goes on growing', async () => {
    const job = await ledger.claimOne();
    expect(await recordOutcomes(ledger.db, [{ job, outcome: { kind: 'release' } }], VERSIONS)).toEqual([
      'queued',
    ]);
    expect(await ledger.readJob(job.id)).toMatchObject({ attempt: 1, attempts_made: 0, dispatched_at: null });
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
    expect((await claimJobs(ledger.db, ledger.workerId, jobs))[0]).toMatchObject({
      attempt: 2,
      attemptsMade: 1,
    });
  });

  describe('a job that is held', () => {
    const target = { id: 'test', tenantId: newUuid(), type: 'http.request', target: 'https://away.test' };
    const hold: Outcome = { kind: 'hold', delayMs: 60_000, breakerId: target.id };
    const open = () =>
      openBreaker(ledger.db, target, { errorCode: 'http_503', seconds: { first: 60, most: 60 } });
    const dueOf = (jobId: string) =>
      ledger.db
        .selectFrom('due')
        .select(['held_by', 'attempts_made', sql<boolean>`run_at <= now()`.as('isDue')])
        .where('job_id', '=', jobId)
        .executeTakeFirst();

    test('has lost no attempt, and can go when the breaker is closed', async () => {
      await open();
      const job = await ledger.claimOne();
      expect(await recordOutcomes(ledger.db, [{ job, outcome: hold }], VERSIONS)).toEqual(['retrying']);
      expect(await dueOf(job.id)).toEqual({ held_by: target.id, attempts_made: 0, isDue: false });
      await closeBreaker(ledger.db, target.id);
      expect(await letHeldJobsGo(ledger.db, target.id, 10)).toEqual({ jobs: 1, queues: [job.queue] });
      expect(await dueOf(job.id)).toEqual({ held_by: null, attempts_made: 0, isDue: true });
    });

    test('waits for none that was closed meanwhile', async () => {
      const job = await ledger.claimOne();
      await recordOutcomes(ledger.db, [{ job, outcome: hold }], VERSIONS);
      expect(await dueOf(job.id)).toEqual({ held_by: null, attempts_made: 0, isDue: true });
    });

    test('is found by whoever closes the breaker while it is written', async () => {
      await open();
      const job = await ledger.claimOne();
      const [written, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const writing = ledger.db.transaction().execute(async (tx) => {
        await recordOutcomes(tx, [{ job, outcome: hold }], VERSIONS);
        written.resolve();
        await mayCommit.promise;
      });
      await written.promise;
      const closing = closeBreaker(ledger.db, target.id).then(() => letHeldJobsGo(ledger.db, target.id, 10));
      await waitUntil(isCloserWaiting, { until: 'whoever closes it waits' });
      mayCommit.resolve();
      await writing;
      expect(await closing).toMatchObject({ jobs: 1 });
    });
  });

  test('a cancel that came too late to stop the attempt still stops the job from being tried again', async () => {
    const job = await ledger.claimOne();
    await cancelJob(ledger.db, job.tenantId, job.id);
    const error = { code: 'handler_error', message: 'no', retryable: true };
    const retry: Outcome = { kind: 'retry', delayMs: 0, error };
    expect(await recordOutcomes(ledger.db, [{ job, outcome: retry }], VERSIONS)).toEqual(['canceled']);
    expect((await ledger.readJob(job.id)).finished_at).not.toBeNull();
  });

  test('a dead letter is there with its error and stack when the job is failed; replay and discard act once', async () => {
    const job = await ledger.claimOne();
    expect(await recordOutcomes(ledger.db, [{ job, outcome: deadLetter }], VERSIONS)).toEqual(['failed']);
    const failed = await ledger.readJob(job.id);
    expect(failed.error).toEqual({ code: 'handler_error', message: 'no luck', retryable: true, attempt: 1 });
    const id = failed.dead_letter_id ?? '';
    const letter = await ledger.db
      .selectFrom('dead_letters')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(letter).toMatchObject({
      job_id: job.id,
      reason: 'attempts_exhausted',
      error: deadLetter.error,
      versions: VERSIONS,
    });

    const act = { actor: 'test', reason: 'fixed' };
    const replays = await Promise.all([1, 2, 3].map(() => replayDeadLetter(ledger.db, id, act)));
    expect(replays.filter(Boolean)).toHaveLength(1);
    expect(await discardDeadLetter(ledger.db, id, act)).toBe(false);
    expect(await ledger.readJob(job.id)).toMatchObject({
      status: 'queued',
      attempts_made: 0,
      attempt: 1,
      replay_round: 1,
    });
    expect(await ledger.db.selectFrom('audit_log').select(['action', 'actor']).execute()).toEqual([
      { action: 'dead_letter.replay', actor: 'test' },
    ]);
  });

  test('the outcome and the delivery that tells of it are committed together', async () => {
    const webhook = { url: 'https://receiver.example/hook', events: ['job.succeeded'] };
    const job = await ledger.claimOne({ webhook });
    await recordOutcomes(ledger.db, [{ job, outcome: succeed }], VERSIONS);
    const deliveries = await ledger.db
      .selectFrom('current_jobs')
      .selectAll()
      .where('type', '=', 'webhook.deliver')
      .execute();
    expect(deliveries).toMatchObject([{ queue: 'webhooks', tenant_id: job.tenantId, status: 'queued' }]);
  });
});
