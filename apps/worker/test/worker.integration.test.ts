import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { PermanentError } from '@accepted/job';
import { newUuid } from '@accepted/shared/core/job/id';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { cancelJob } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { rescheduleJob } from '@accepted/shared/ledger/jobs/reschedule-jobs';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { CONFIG, type Run, useWorkers } from './use-workers.ts';

const ONE_ACCOUNT = { tenantId: newUuid() };

describe.each(['redis', 'postgres'] as const)('a worker on %s', (kind) => {
  const workers = useWorkers(kind);
  const { start, submit, submitOne, readJob, attemptsOf, reaches } = workers;
  const atOnce = { backoff: { type: 'fixed', delayMs: 1, jitter: 'none' } } as const;

  test('a job runs and its result and attempt are recorded', async () => {
    await start('result', async (payload) => ({ got: payload }));
    const job = await submitOne('result', { payloadJson: '{"n":1}' });
    expect(await reaches(job.id, 'succeeded')).toMatchObject({ result: { got: { n: 1 } }, attempt: 1 });
    expect(await attemptsOf(job.id)).toMatchObject([{ attempt: 1, outcome: 'succeeded', error: null }]);
  });

  test('whoever reads a running job sees the progress that its handler reported last', async () => {
    const gate = Promise.withResolvers<void>();
    await start('progress', async (_, ctx) => {
      for (const percent of [1, 2, 3]) ctx.progress({ percent });
      await gate.promise;
      ctx.progress({ percent: 100 });
    });
    const job = await submitOne('progress');
    const reported = async () => isDeepStrictEqual((await readJob(job.id)).progress, { percent: 3 });
    await waitUntil(reported, { until: 'the newest progress is there' });
    gate.resolve();
    expect(await reaches(job.id, 'succeeded')).toMatchObject({ progress: { percent: 100 } });
  });

  test('a failing job is tried again until it succeeds, each attempt under a larger token', async () => {
    const tokens: number[] = [];
    await start('retry', async (_, ctx) => {
      tokens.push(ctx.fencingToken);
      if (tokens.length < 3) throw new Error('not yet');
      return 'done';
    });
    const job = await submitOne('retry', { maxAttempts: 5, ...atOnce });
    expect(await reaches(job.id, 'succeeded')).toMatchObject({ attempts_made: 3, result: 'done' });
    expect(tokens).toEqual([1, 2, 3]);
    expect((await attemptsOf(job.id)).map((attempt) => attempt.outcome)).toEqual([
      'failed',
      'failed',
      'succeeded',
    ]);
  });

  test('a job that is rescheduled runs at its new time, be it now or soon, and not before', async () => {
    await start('rescheduled', async () => 'done');
    const now = await submitOne('rescheduled', { delayMs: 3_600_000 });
    await rescheduleJob(workers.database.db, now.tenantId, now.id, { delayMs: 0 });
    await notify(workers.database.db, CHANNELS.queueHasWork, 'rescheduled');
    await reaches(now.id, 'succeeded');

    const soon = await submitOne('rescheduled', { delayMs: 3_600_000 });
    const result = await rescheduleJob(workers.database.db, soon.tenantId, soon.id, { delayMs: 20 });
    await notify(workers.database.db, CHANNELS.timesHaveChanged, 'rescheduled');
    const { started_at: startedAt } = await reaches(soon.id, 'succeeded');
    expect(startedAt?.getTime()).toBeGreaterThanOrEqual(result?.row.run_at.getTime() ?? 0);
  });

  test('jobs of one concurrency key run one at a time, and the next one follows at once', async () => {
    let running = 0;
    let most = 0;
    await start('keyed', async () => {
      running += 1;
      most = Math.max(most, running);
      await delay(1);
      running -= 1;
    });
    const startedMs = performance.now();
    const jobs = await submit('keyed', { ...ONE_ACCOUNT, concurrencyKey: 'a', concurrencyLimit: 1 }, 30);
    for (const job of jobs) await reaches(job.id, 'succeeded');
    expect(most).toBe(1);
    // A dispatcher that nobody wakes looks twice a second, which would be 15 seconds here.
    expect(performance.now() - startedMs).toBeLessThan(7_500);
  });

  test('jobs that came with others that turn out slow go to another worker', async () => {
    const gate = Promise.withResolvers<void>();
    let held = 0;
    const holding = async (payload: unknown) => {
      if (payload !== 'slow') return;
      held += 1;
      await gate.promise;
    };
    await start('ahead', holding);
    const warm = await submit('ahead', {}, 300);
    for (const job of warm) await reaches(job.id, 'succeeded');
    const slow = await submit('ahead', { payloadJson: '"slow"' }, CONFIG.WORKER_CONCURRENCY);
    await waitUntil(() => held === slow.length, { until: 'every slot is taken' });
    const quick = await submit('ahead', {}, 30);
    await start('ahead', async () => undefined);
    for (const job of quick) expect(await reaches(job.id, 'succeeded')).toMatchObject({ attempts_made: 1 });
    gate.resolve();
    for (const job of slow) await reaches(job.id, 'succeeded');
  });

  test('a job that uses up its attempts, or fails for good, is a dead letter', async () => {
    await start('dead', async (payload) => {
      if (payload === 'permanent') throw new PermanentError('cannot ever work', { code: 'bad_account' });
      throw new Error('again and again');
    });
    const exhausted = await submitOne('dead', { maxAttempts: 2, ...atOnce, payloadJson: '"x"' });
    const permanent = await submitOne('dead', { maxAttempts: 9, payloadJson: '"permanent"' });
    await Promise.all([exhausted, permanent].map((job) => reaches(job.id, 'failed')));
    const letters = await workers.database.db
      .selectFrom('dead_letters')
      .select(['job_id', 'reason', 'error', 'attempts_made'])
      .where('queue', '=', 'dead')
      .orderBy('job_id')
      .execute();
    expect(letters).toMatchObject([
      {
        job_id: exhausted.id,
        reason: 'attempts_exhausted',
        attempts_made: 2,
        error: { message: 'again and again' },
      },
      { job_id: permanent.id, reason: 'permanent_error', attempts_made: 1, error: { code: 'bad_account' } },
    ]);
    expect(letters[0]?.error.stack).toContain('worker.integration.test');
  });

  test('jobs that died of the same reasons have them in their errors, and are one group whatever the addresses', async () => {
    await start('unreachable', async (port) => {
      const all = ['::1', '127.0.0.1', '127.0.0.2'].slice(0, Number(port));
      const errors = all.map((address) => new Error(`connect ECONNREFUSED ${address}:${port}`));
      throw new TypeError('fetch failed', { cause: new AggregateError(errors, '') });
    });
    const jobs = [
      await submitOne('unreachable', { maxAttempts: 1, payloadJson: '2' }),
      await submitOne('unreachable', { maxAttempts: 1, payloadJson: '3' }),
    ];
    const [row] = await Promise.all(jobs.map((job) => reaches(job.id, 'failed')));
    const message = 'fetch failed: connect ECONNREFUSED ::1:2; connect ECONNREFUSED 127.0.0.1:2';
    expect(row?.error).toMatchObject({ code: 'handler_error', message });
    const letters = await workers.database.db
      .selectFrom('dead_letters')
      .select(['fingerprint', 'error'])
      .where('queue', '=', 'unreachable')
      .execute();
    expect(letters.map(({ error }) => error.message)).toContain(message);
    expect(new Set(letters.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  });

  test('an attempt that takes too long is aborted and counts as a timeout', async () => {
    const aborted = Promise.withResolvers<unknown>();
    await start('timeout', async (_, ctx) => {
      await once(ctx.signal, 'abort');
      aborted.resolve(ctx.signal.reason);
      throw ctx.signal.reason;
    });
    const job = await submitOne('timeout', { timeoutMs: 50, maxAttempts: 1 });
    expect(await reaches(job.id, 'failed')).toMatchObject({ error: { code: 'timeout', attempt: 1 } });
    expect(await aborted.promise).toMatchObject({ name: 'TimeoutError' });
  });

  test('a running job is told to stop within a second of its cancel', async () => {
    const running = Promise.withResolvers<void>();
    await start('cancel', async (_, ctx) => {
      running.resolve();
      await once(ctx.signal, 'abort');
      throw ctx.signal.reason;
    });
    const job = await submitOne('cancel');
    await running.promise;
    expect(await cancelJob(workers.database.db, job.tenantId, job.id)).toMatchObject({ kind: 'requested' });
    await notify(workers.database.db, CHANNELS.cancelRequested, job.id);
    await waitUntil(async () => (await readJob(job.id)).status === 'canceled', {
      until: 'the job is canceled',
      timeoutMs: 1_000,
    });
  });

  test('a shutdown gives unfinished jobs back without counting the attempt, and the next worker runs them', async () => {
    const running = Promise.withResolvers<void>();
    const first = await start('release', async (_, ctx) => {
      running.resolve();
      await once(ctx.signal, 'abort');
      throw ctx.signal.reason;
    });
    const job = await submitOne('release', { maxAttempts: 1 });
    await running.promise;
    await first.stop();
    expect(await readJob(job.id)).toMatchObject({ status: 'queued', attempt: 1, attempts_made: 0 });
    await start('release', async () => 'second');
    expect(await reaches(job.id, 'succeeded')).toMatchObject({ attempt: 2, attempts_made: 1 });
    expect((await attemptsOf(job.id)).map((attempt) => attempt.outcome)).toEqual(['released', 'succeeded']);
  });

  test('a worker that lost its lease stops its jobs, writes nothing of them and starts anew', async () => {
    const signals: AbortSignal[] = [];
    await start('lost', async (_, ctx) => {
      signals.push(ctx.signal);
      if (signals.length > 1) return 'second';
      await once(ctx.signal, 'abort');
      return 'first';
    });
    const job = await submitOne('lost', { maxAttempts: 3, ...atOnce });
    await waitUntil(() => signals.length === 1, { until: 'the first attempt runs' });
    await workers.database.db.updateTable('workers').set({ lost_at: new Date() }).execute();
    expect(await reaches(job.id, 'succeeded')).toMatchObject({ result: 'second', attempt: 2 });
    expect(signals[0]?.aborted).toBe(true);
    expect((await attemptsOf(job.id)).map((attempt) => attempt.outcome)).toEqual([
      'worker_lost',
      'succeeded',
    ]);
  });

  test('a worker that hears of no job while jobs wait asks to be started anew', async () => {
    const worker = await start('deaf', async () => 'done');
    const first = await submitOne('deaf');
    await reaches(first.id, 'succeeded');
    await worker.goDeaf();
    await submit('deaf', {}, 3);
    await worker.deaf;
  });

  test('a busy worker is not taken for a deaf one', async () => {
    const gate = Promise.withResolvers<void>();
    const worker = await start('busy', () => gate.promise);
    const jobs = await submit('busy', {}, 15);
    // That nothing happens can only be waited for: this is more than twice the time after which a deaf one is told.
    const overDue = delay(2_500).then(() => 'still there');
    expect(await Promise.race([worker.deaf.then(() => 'deaf'), overDue])).toBe('still there');
    gate.resolve();
    await Promise.all(jobs.map((job) => reaches(job.id, 'succeeded')));
  });

  test('two workers run every job once', async () => {
    const runs: string[] = [];
    const run: Run = (_, ctx) => {
      runs.push(ctx.job.id);
    };
    await Promise.all([start('shared', run), start('shared', run)]);
    await submit('shared', {}, 500);
    await waitUntil(
      async () => {
        const open = workers.database.db
          .selectFrom('current_jobs')
          .select('id')
          .where('queue', '=', 'shared');
        return (await open.where('status', '!=', 'succeeded').execute()).length === 0;
      },
      { until: 'all jobs have succeeded', timeoutMs: 20_000 },
    );
    expect(runs).toHaveLength(500);
    expect(new Set(runs).size).toBe(500);
  });
});
