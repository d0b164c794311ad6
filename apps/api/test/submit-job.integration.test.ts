import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { registerTestBuild, testLane } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ApiUnderTest, countJobs, createOtherTenant, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const post = (body: object, headers: Record<string, string> = {}, key?: string) =>
  api.send('POST', '/v1/jobs', { body, headers, ...(key && { key }) });

const SUCCEED = { kind: 'succeed', resultJson: '{"done":true}' } as const;

test('a minimal job gets the defaults of its type and a 202 that says how to follow it', async () => {
  const reply = await post({ type: 'test.echo', payload: { count: 1 } });

  expect(reply.statusCode).toBe(202);
  const job = reply.json();
  expect(job).toMatchObject({
    id: expect.stringMatching(/^job_[0-9a-z]{26}$/),
    type: 'test.echo',
    queue: 'default',
    status: 'queued',
    payload: { count: 1 },
    result: null,
    priority: 'normal',
    attempt: 0,
    attemptsMade: 0,
    maxAttempts: 3,
    timeoutMs: 10_000,
    concurrencyKey: null,
    version: 1,
  });
  expect(reply.headers).toMatchObject({
    location: `/v1/jobs/${job.id}`,
    etag: '"v1"',
    'retry-after': expect.stringMatching(/^[1-9]\d*$/),
    'content-type': expect.stringContaining('application/json'),
  });
  expect(reply.headers['idempotent-replayed']).toBeUndefined();
  expect(
    await api.db.selectFrom('current_jobs').select('id').where('type', '=', 'test.echo').execute(),
  ).toHaveLength(1);
});

test('every field of a request is kept', async () => {
  const runAt = new Date(Date.now() + 3_600_000).toISOString();
  const reply = await post(
    {
      type: 'test.echo',
      payload: { account: 'a7' },
      queue: 'strict',
      priority: 'high',
      runAt,
      ttlMs: 7_200_000,
      timeoutMs: 5_000,
      retry: { maxAttempts: 9, backoff: { type: 'fixed', delayMs: 50 } },
      tags: ['a', 'b'],
      metadata: { order: 7 },
      webhook: { url: 'https://example.com/hook', events: ['job.failed'] },
    },
    {
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      tracestate: 'a=1',
      'x-request-id': 'req-1',
    },
  );

  expect(reply.statusCode).toBe(202);
  expect(reply.headers['x-request-id']).toBe('req-1');
  expect(reply.json()).toMatchObject({
    status: 'scheduled',
    queue: 'strict',
    priority: 'high',
    runAt,
    timeoutMs: 5_000,
    maxAttempts: 9,
    concurrencyKey: 'test.echo:a7',
    tags: ['a', 'b'],
    metadata: { order: 7 },
    requestId: 'req-1',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  });
  const row = await api.db
    .selectFrom('current_jobs')
    .selectAll()
    .where('request_id', '=', 'req-1')
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    backoff: { type: 'fixed', delayMs: 50, jitter: 'full' },
    concurrency_limit: 5,
    webhook: { url: 'https://example.com/hook', events: ['job.failed'] },
    tracestate: 'a=1',
  });
});

test('a type or a queue that a worker has just registered is known, though the catalog is not old', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  await using own = await startApi();
  /** The catalog is at hand for two seconds, and is read anew for what it lacks after a fourth of one. */
  const submitSoon = async (request: object) => {
    vi.advanceTimersByTime(500);
    await own.submit(request);
  };
  await submitSoon({});
  await registerTestBuild(own.db, ['test.new'], { id: 'new' });
  await submitSoon({ type: 'test.new' });
  await registerTestBuild(own.db, ['test.newer'], { id: 'newer', queue: 'newer' });
  await submitSoon({ queue: 'newer' });
});

test("a key of the client's own lets one job of its queue run at a time, of whatever type, where the type has no limit", async () => {
  await using own = await startApi();
  const submit = (request: object) =>
    own.submit({ type: 'test.strict', queue: 'strict', concurrencyKey: 'k', ...request });
  for (const request of [{}, {}, { type: 'test.strict', concurrencyKey: 'other' }]) await submit(request);
  const { jobs } = await dispatchJobs(own.db, 'strict', testLane(100));
  expect(jobs).toHaveLength(2);
  // `test.echo` lets five of a key run at once, and each job goes by the limit of its own type, but before none that waits.
  await submit({ type: 'test.echo' });
  for (let turn = 0; turn < 3; turn += 1)
    expect((await dispatchJobs(own.db, 'strict', testLane(100))).jobs).toEqual([]);
  await own.db.deleteFrom('blocked').where('type', '=', 'test.strict').execute();
  expect((await dispatchJobs(own.db, 'strict', testLane(100))).jobs).toMatchObject([{ type: 'test.echo' }]);
});

test('a delay schedules, and Retry-After counts from the time of the job', async () => {
  const reply = await post({ type: 'test.echo', payload: {}, delayMs: 100_000 });

  expect(reply.json().status).toBe('scheduled');
  expect(Number(reply.headers['retry-after'])).toBeGreaterThan(95);
});

test('a malformed trace context or request id is ignored, not refused', async () => {
  const reply = await post(
    { type: 'test.echo', payload: {} },
    { traceparent: 'nonsense', 'x-request-id': 'a b\tc' },
  );

  expect(reply.statusCode).toBe(202);
  expect(reply.json().traceId).toBeNull();
  expect(reply.json().requestId).toBe(reply.headers['x-request-id']);
  expect(reply.headers['x-request-id']).not.toBe('a b\tc');
});

describe('Idempotency-Key', () => {
  test('the same key and body are one job, whatever the order of fields and the quoting of the key', async () => {
    const first = await post({ type: 'test.echo', payload: { count: 1 } }, { 'idempotency-key': 'order-1' });
    const again = await post(
      { payload: { count: 1 }, type: 'test.echo' },
      { 'idempotency-key': '"order-1"' },
    );

    expect(again.statusCode).toBe(202);
    expect(again.json().id).toBe(first.json().id);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(first.headers['idempotent-replayed']).toBeUndefined();
  });

  test('the same key with another body is refused, and changes nothing', async () => {
    await post({ type: 'test.echo', payload: { count: 1 } }, { 'idempotency-key': 'order-2' });
    const before = await countJobs(api.db);
    const reply = await post({ type: 'test.echo', payload: { count: 2 } }, { 'idempotency-key': 'order-2' });

    expect(reply.statusCode).toBe(422);
    expect(reply.json().code).toBe('idempotency_key_reused');
    expect(await countJobs(api.db)).toBe(before);
  });

  test('a replay shows the job as it is now, with the status code of the first answer', async () => {
    const body = { type: 'test.echo', payload: { count: 3 } };
    const first = await post(body, { 'idempotency-key': 'order-3' });
    await runJob(api.db, first.json().id, SUCCEED);
    const again = await post(body, { 'idempotency-key': 'order-3' });

    expect(again.statusCode).toBe(202);
    expect(again.json()).toMatchObject({ id: first.json().id, status: 'succeeded', result: { done: true } });
    expect(again.headers['retry-after']).toBeUndefined();
  });

  test('another tenant may use the same key', async () => {
    const other = await createOtherTenant(api.db);
    const body = { type: 'test.echo', payload: {} };
    const ours = await post(body, { 'idempotency-key': 'shared' });
    const theirs = await post(body, { 'idempotency-key': 'shared' }, other);

    expect(theirs.statusCode).toBe(202);
    expect(theirs.json().id).not.toBe(ours.json().id);
  });

  test('200 concurrent requests with one key are one job with one id', async () => {
    const before = await countJobs(api.db);
    const requests = Array.from({ length: 200 }, () =>
      post({ type: 'test.echo', payload: { count: 200 } }, { 'idempotency-key': 'stampede' }),
    );
    const replies = await Promise.all(requests);

    expect(new Set(replies.map((reply) => reply.statusCode))).toEqual(new Set([202]));
    expect(new Set(replies.map((reply) => reply.json().id)).size).toBe(1);
    expect(replies.filter((reply) => !reply.headers['idempotent-replayed'])).toHaveLength(1);
    expect(await countJobs(api.db)).toBe(before + 1);
  });

  test.each(['', 'ä', 'x'.repeat(256), '"open'])('the key %j is refused', async (key) => {
    const reply = await post({ type: 'test.echo', payload: {} }, { 'idempotency-key': key });

    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({
      code: 'invalid_parameter',
      errors: [{ pointer: '/headers/idempotency-key' }],
    });
  });
});

describe('Prefer: wait', () => {
  test('a job that finishes in time is a 200 with its result', async () => {
    const pending = post({ type: 'test.echo', payload: { count: 77 } }, { prefer: 'wait=20' });
    const row = await waitUntil(
      () =>
        api.db
          .selectFrom('current_jobs')
          .select('id')
          .where(sql<boolean>`payload->>'count' = '77'`)
          .executeTakeFirst(),
      { until: 'the job is written' },
    );
    await runJob(api.db, row.id, SUCCEED);
    const reply = await pending;

    expect(reply.statusCode).toBe(200);
    expect(reply.headers['preference-applied']).toBe('wait=20');
    expect(reply.json()).toMatchObject({ status: 'succeeded', result: { done: true } });
  });

  test('a job that does not finish in time is a 202', async () => {
    const started = performance.now();
    const reply = await post({ type: 'test.echo', payload: {} }, { prefer: 'respond-async, wait=1' });

    expect(reply.statusCode).toBe(202);
    expect(reply.headers['preference-applied']).toBe('respond-async, wait=1');
    expect(performance.now() - started).toBeGreaterThan(900);
  });
});

test('jobs that arrive together share a few inserts', async () => {
  const replies = await Promise.all(
    Array.from({ length: 300 }, (_, index) => post({ type: 'test.echo', payload: { count: index } })),
  );

  expect(replies.every((reply) => reply.statusCode === 202)).toBe(true);
  expect(replies.map((reply) => reply.json().payload.count)).toEqual(
    Array.from({ length: 300 }, (_, index) => index),
  );
  const ids = replies.map((reply) => reply.json().createdAt);
  expect(new Set(ids).size).toBeLessThan(100);
});
