import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { discardDeadLetter, replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { listOrphanedJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import { testLane } from '@accepted/testing/test-build';
import { describe, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

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
