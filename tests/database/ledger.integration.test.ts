import { cancelJob, expireJobs } from '@accepted/shared/database/cancel-jobs';
import { claimJobs } from '@accepted/shared/database/claim-jobs';
import type { Database } from '@accepted/shared/database/connect';
import { discardDeadLetter, replayDeadLetter } from '@accepted/shared/database/dead-letters';
import { dispatchJobs, queueDueJobs, takeBack } from '@accepted/shared/database/dispatch-jobs';
import { insertJobs } from '@accepted/shared/database/insert-jobs';
import { recordOutcomes } from '@accepted/shared/database/record-outcomes';
import { listOrphanedJobs } from '@accepted/shared/database/rescue-jobs';
import { heartbeat, markLostWorkers, registerWorker } from '@accepted/shared/database/workers';
import type { Outcome } from '@accepted/shared/job/decide-outcome';
import { newUuid } from '@accepted/shared/job/id';
import type { NewJob } from '@accepted/shared/job/new-job';
import { makeJob } from '@accepted/testing/factories';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let database: TestDatabase;
let db: Database;
let workerId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(() => database.drop());

beforeEach(async () => {
  await sql`TRUNCATE jobs, workers, attempts, dead_letters, idempotency_keys, audit_log`.execute(db);
  workerId = await startTestWorker();
});

const VERSIONS = { accepted: 'test' };
const succeed: Outcome = { kind: 'succeed', resultJson: '{"ok":true}' };
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

async function startTestWorker(): Promise<string> {
  const id = newUuid();
  await registerWorker(db, { id, hostname: 'test', pid: 1, queues: ['default'], concurrency: 10 });
  return id;
}

async function insertOne(overrides: Partial<NewJob> = {}): Promise<NewJob> {
  const job = makeJob(overrides);
  await insertJobs(db, [job]);
  return job;
}

async function claimOne(overrides: Partial<NewJob> = {}) {
  await insertOne(overrides);
  const { jobs } = await dispatchJobs(db, 'default', 100);
  const [claimed] = await claimJobs(db, workerId, jobs);
  if (!claimed) throw new Error('The job could not be claimed.');
  return claimed;
}

async function readJob(id: string) {
  return await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

describe('insertJobs', () => {
  test('a job is queued, or scheduled when its time is still to come, by the clock of Postgres', async () => {
    const [now, later, past] = [
      makeJob(),
      makeJob({ delayMs: 60_000 }),
      makeJob({ runAt: new Date(Date.now() - 1_000) }),
    ];
    const inserted = await insertJobs(db, [now, later, past]);
    expect(inserted.map((entry) => (entry.kind === 'created' ? entry.row.status : entry.kind))).toEqual([
      'queued',
      'scheduled',
      'queued',
    ]);
    const stored = await readJob(now.id);
    expect(inserted[0]).toEqual({ kind: 'created', row: stored });
  });

  test('writing the same jobs twice writes them once', async () => {
    const jobs = [makeJob(), makeJob()];
    await insertJobs(db, jobs);
    const again = await insertJobs(db, jobs);
    expect(again.map((entry) => entry.kind)).toEqual(['created', 'created']);
    expect(await db.selectFrom('jobs').select('id').execute()).toHaveLength(2);
  });

  test('one key makes one job, in one batch and across batches at once', async () => {
    const tenantId = newUuid();
    const idempotency = { route: 'POST /v1/jobs', key: 'k', fingerprint: Buffer.from('same') };
    const batches = Array.from({ length: 8 }, () =>
      Array.from({ length: 5 }, () => makeJob({ tenantId, idempotency })),
    );
    const results = (await Promise.all(batches.map((batch) => insertJobs(db, batch)))).flat();
    expect(results.filter((entry) => entry.kind === 'created')).toHaveLength(1);
    expect(
      new Set(results.map((entry) => (entry.kind === 'keyReused' ? entry.kind : entry.row.id))).size,
    ).toBe(1);
    expect(await db.selectFrom('jobs').select('id').execute()).toHaveLength(1);
  });

  test('a key with another body is refused, another tenant may use it', async () => {
    const tenantId = newUuid();
    const key = { route: 'r', key: 'k' };
    const first = makeJob({ tenantId, idempotency: { ...key, fingerprint: Buffer.from('a') } });
    const other = makeJob({ tenantId, idempotency: { ...key, fingerprint: Buffer.from('b') } });
    const stranger = makeJob({ idempotency: { ...key, fingerprint: Buffer.from('b') } });
    const results = await insertJobs(db, [first, other, stranger]);
    expect(results.map((entry) => entry.kind)).toEqual(['created', 'keyReused', 'created']);
  });

  test('an expired key is free again, but not while its job is unfinished', async () => {
    const tenantId = newUuid();
    const submit = () =>
      makeJob({ tenantId, idempotency: { route: 'r', key: 'k', fingerprint: Buffer.from('a') } });
    const first = submit();
    await insertJobs(db, [first]);
    await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 hour'`.execute(db);
    expect(await insertJobs(db, [submit()])).toMatchObject([{ kind: 'replayed', row: { id: first.id } }]);
    await cancelJob(db, tenantId, first.id);
    expect(await insertJobs(db, [submit()])).toMatchObject([{ kind: 'created' }]);
  });
});

describe('dispatchJobs', () => {
  test('fills the window and no more, the oldest first', async () => {
    const tenantId = newUuid();
    const jobs = Array.from({ length: 5 }, () => makeJob({ tenantId }));
    await insertJobs(db, jobs);
    const first = await dispatchJobs(db, 'default', 3);
    expect(first).toMatchObject({
      moreToDo: true,
      jobs: jobs.slice(0, 3).map(({ id }) => ({ id, dispatchNo: 1 })),
    });
    expect(await dispatchJobs(db, 'default', 3)).toEqual({ jobs: [], moreToDo: true });
    await claimJobs(db, workerId, first.jobs);
    expect((await dispatchJobs(db, 'default', 3)).jobs.map((job) => job.id)).toEqual(
      jobs.slice(3).map((job) => job.id),
    );
  });

  test('dispatchers that race for a queue never dispatch a job twice', async () => {
    await insertJobs(
      db,
      Array.from({ length: 50 }, () => makeJob()),
    );
    const rounds = await Promise.all(Array.from({ length: 8 }, () => dispatchJobs(db, 'default', 1_000)));
    const ids = rounds.flatMap((round) => round.jobs.map((job) => job.id));
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
  });

  test('a small tenant does not wait behind a large one', async () => {
    const [large, small] = [newUuid(), newUuid()];
    await insertJobs(
      db,
      Array.from({ length: 100 }, () => makeJob({ tenantId: large })),
    );
    const late = await insertOne({ tenantId: small });
    const { jobs } = await dispatchJobs(db, 'default', 4);
    expect(jobs.map((job) => job.id)).toContain(late.id);
  });

  test('no more jobs of a concurrency key are let through than its limit, and others pass them', async () => {
    const tenantId = newUuid();
    const limited = { tenantId, concurrencyKey: 'account-7', concurrencyLimit: 2 };
    await insertJobs(
      db,
      Array.from({ length: 20 }, () => makeJob(limited)),
    );
    const free = await insertOne({ tenantId });
    const first = await dispatchJobs(db, 'default', 5);
    expect(first).toMatchObject({ jobs: [{}, {}], moreToDo: true });
    expect(await dispatchJobs(db, 'default', 5)).toMatchObject({ jobs: [{ id: free.id }], moreToDo: false });
    const [claimed] = await claimJobs(db, workerId, first.jobs.slice(0, 1));
    expect((await dispatchJobs(db, 'default', 5)).jobs).toEqual([]);
    if (claimed) await recordOutcomes(db, [{ job: claimed, outcome: succeed }], VERSIONS);
    expect((await dispatchJobs(db, 'default', 5)).jobs).toHaveLength(1);
  });

  test('a due job is queued and a later one is not', async () => {
    const due = await insertOne({ delayMs: 60_000 });
    const later = await insertOne({ delayMs: 60_000 });
    await sql`UPDATE jobs SET run_at = now() WHERE id = ${due.id}`.execute(db);
    expect(await queueDueJobs(db, 100)).toEqual(['default']);
    expect([(await readJob(due.id)).status, (await readJob(later.id)).status]).toEqual([
      'queued',
      'scheduled',
    ]);
  });
});

describe('claimJobs', () => {
  test('of many claims of one dispatch exactly one gets the job', async () => {
    await insertOne();
    const { jobs } = await dispatchJobs(db, 'default', 10);
    const claims = await Promise.all(Array.from({ length: 10 }, () => claimJobs(db, workerId, jobs)));
    expect(claims.flat().filter(Boolean)).toHaveLength(1);
  });

  test('a delivery that came twice in one batch runs once', async () => {
    await insertOne();
    const { jobs } = await dispatchJobs(db, 'default', 10);
    expect((await claimJobs(db, workerId, [...jobs, ...jobs])).filter(Boolean)).toHaveLength(1);
  });

  test('an old dispatch number claims nothing once the job was taken back', async () => {
    await insertOne();
    const { jobs: old } = await dispatchJobs(db, 'default', 10);
    expect(await takeBack(db, old)).toBe(1);
    expect(await claimJobs(db, workerId, old)).toEqual([undefined]);
    const { jobs: anew } = await dispatchJobs(db, 'default', 10);
    expect(await claimJobs(db, workerId, old)).toEqual([undefined]);
    expect((await claimJobs(db, workerId, anew))[0]?.attempt).toBe(1);
  });

  test('canceled and expired jobs, and workers without a lease, claim nothing', async () => {
    const tenantId = newUuid();
    const canceled = await insertOne({ tenantId });
    await insertOne({ ttlMs: 60_000 });
    await insertOne();
    const { jobs } = await dispatchJobs(db, 'default', 10);
    await cancelJob(db, tenantId, canceled.id);
    await sql`UPDATE jobs SET expires_at = now() WHERE expires_at IS NOT NULL`.execute(db);
    await sql`UPDATE workers SET heartbeat_at = now() - interval '1 hour'`.execute(db);
    expect(await markLostWorkers(db, 15_000)).toEqual([workerId]);
    expect(await claimJobs(db, workerId, jobs)).toEqual([undefined, undefined, undefined]);
    expect(await heartbeat(db, workerId, {})).toBe(false);
    expect((await claimJobs(db, await startTestWorker(), jobs)).filter(Boolean)).toHaveLength(1);
  });
});

describe('recordOutcomes', () => {
  test('an outcome is recorded once; a second one with the same token is fenced', async () => {
    const job = await claimOne();
    expect(await recordOutcomes(db, [{ job, outcome: succeed }], VERSIONS)).toEqual(['succeeded']);
    expect(await recordOutcomes(db, [{ job, outcome: deadLetter }], VERSIONS)).toEqual(['fenced']);
    expect(await readJob(job.id)).toMatchObject({
      status: 'succeeded',
      result: { ok: true },
      worker_id: null,
      dead_letter_id: null,
    });
    expect(await db.selectFrom('dead_letters').select('id').execute()).toEqual([]);
    expect(await db.selectFrom('attempts').select(['attempt', 'outcome', 'worker_id']).execute()).toEqual([
      { attempt: 1, outcome: 'succeeded', worker_id: workerId },
    ]);
  });

  test('a zombie whose job was rescued and claimed again cannot write', async () => {
    const zombie = await claimOne();
    await sql`UPDATE workers SET heartbeat_at = now() - interval '1 hour'`.execute(db);
    await markLostWorkers(db, 15_000);
    const [orphan] = await listOrphanedJobs(db, 10);
    if (!orphan) throw new Error('There is no orphan.');
    const lost = { code: 'worker_lost', message: 'gone', retryable: true };
    await recordOutcomes(
      db,
      [{ job: orphan, outcome: { kind: 'retry', delayMs: 0, error: lost } }],
      VERSIONS,
    );
    workerId = await startTestWorker();
    await queueDueJobs(db, 10);
    const { jobs } = await dispatchJobs(db, 'default', 10);
    const [second] = await claimJobs(db, workerId, jobs);
    expect(second).toMatchObject({ id: zombie.id, attempt: 2, attemptsMade: 2 });
    expect(await recordOutcomes(db, [{ job: zombie, outcome: succeed }], VERSIONS)).toEqual(['fenced']);
    expect((await readJob(zombie.id)).status).toBe('running');
  });

  test('a release gives the attempt back, but the fencing token goes on growing', async () => {
    const job = await claimOne();
    expect(await recordOutcomes(db, [{ job, outcome: { kind: 'release' } }], VERSIONS)).toEqual(['queued']);
    expect(await readJob(job.id)).toMatchObject({ attempt: 1, attempts_made: 0, dispatched_at: null });
    const { jobs } = await dispatchJobs(db, 'default', 10);
    expect((await claimJobs(db, workerId, jobs))[0]).toMatchObject({ attempt: 2, attemptsMade: 1 });
  });

  test('a cancel that came too late to stop the attempt still stops the job from being tried again', async () => {
    const job = await claimOne();
    await cancelJob(db, job.tenantId, job.id);
    const error = { code: 'handler_error', message: 'no', retryable: true };
    const retry: Outcome = { kind: 'retry', delayMs: 0, error };
    expect(await recordOutcomes(db, [{ job, outcome: retry }], VERSIONS)).toEqual(['canceled']);
    expect((await readJob(job.id)).finished_at).not.toBeNull();
  });

  test('a dead letter is there with its error and stack when the job is failed; replay and discard act once', async () => {
    const job = await claimOne();
    expect(await recordOutcomes(db, [{ job, outcome: deadLetter }], VERSIONS)).toEqual(['failed']);
    const failed = await readJob(job.id);
    expect(failed.error).toEqual({ code: 'handler_error', message: 'no luck', retryable: true, attempt: 1 });
    const id = failed.dead_letter_id ?? '';
    const letter = await db
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
    const replays = await Promise.all([1, 2, 3].map(() => replayDeadLetter(db, id, act)));
    expect(replays.filter(Boolean)).toHaveLength(1);
    expect(await discardDeadLetter(db, id, act)).toBe(false);
    expect(await readJob(job.id)).toMatchObject({
      status: 'queued',
      attempts_made: 0,
      attempt: 1,
      replay_round: 1,
    });
    expect(await db.selectFrom('audit_log').select(['action', 'actor']).execute()).toEqual([
      { action: 'dead_letter.replay', actor: 'test' },
    ]);
  });

  test('the outcome and the delivery that tells of it are committed together', async () => {
    const webhook = { url: 'https://receiver.example/hook', events: ['job.succeeded'] };
    const job = await claimOne({ webhook });
    await recordOutcomes(db, [{ job, outcome: succeed }], VERSIONS);
    const deliveries = await db
      .selectFrom('jobs')
      .selectAll()
      .where('type', '=', 'webhook.deliver')
      .execute();
    expect(deliveries).toMatchObject([{ queue: 'webhooks', tenant_id: job.tenantId, status: 'queued' }]);
  });
});

test('jobs that nobody started in time expire, running ones do not', async () => {
  const running = await claimOne({ ttlMs: 60_000 });
  const waiting = await insertOne({ ttlMs: 60_000 });
  await sql`UPDATE jobs SET expires_at = now() WHERE expires_at IS NOT NULL`.execute(db);
  expect(await expireJobs(db, 100)).toEqual([waiting.id]);
  expect((await readJob(running.id)).status).toBe('running');
});
