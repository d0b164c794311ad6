import { newUuid, parsePublicId, publicId } from '@accepted/shared/core/job/id';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { dispatchOne, finishJobs } from '@accepted/testing/move-jobs';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';
import { recordWorkerRate } from './worker-rate.ts';

let api: ApiUnderTest;
let otherKey: string;
beforeAll(async () => {
  api = await startApi({ MAX_WAIT_SECONDS: '2' });
  otherKey = await createOtherTenant(api.db);
});
afterAll(async () => await api[Symbol.asyncDispose]());

const SUCCEED = { kind: 'succeed', resultJson: '{ "big": 12345678901234567890, "done": true }' } as const;
const FAIL = {
  kind: 'deadLetter',
  reason: 'permanent_error',
  error: {
    code: 'no_such_account',
    message: 'There is no account 7.',
    retryable: false,
    stack: 'Error: at x.ts:1',
  },
} as const;
const RETRY = {
  kind: 'retry',
  delayMs: 60_000,
  error: { code: 'busy', message: 'Busy.', retryable: true, stack: 'Error: at y.ts:2' },
} as const;

const UNKNOWN_IDS = [
  'job_x',
  'nonsense',
  publicId('job', newUuid()),
  publicId('apiKey', newUuid()),
  '%00',
  'ä'.repeat(60),
];

describe('GET /v1/jobs/{id}', () => {
  test('a pending job is 200 with ETag and Retry-After, and 304 while it stays the same', async () => {
    const id = await api.submit({ payload: { count: 5 } });
    const reply = await api.send('GET', `/v1/jobs/${id}`);

    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({ id, status: 'queued', payload: { count: 5 } });
    expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    const etag = String(reply.headers.etag);
    const same = await api.send('GET', `/v1/jobs/${id}`, { headers: { 'if-none-match': etag } });
    expect(same.statusCode).toBe(304);
    expect(same.body).toBe('');

    await dispatchOne(api.db, parsePublicId('job', id) ?? '');
    const dispatched = await api.send('GET', `/v1/jobs/${id}`, { headers: { 'if-none-match': etag } });
    expect(dispatched.json()).toMatchObject({ dispatchedAt: expect.any(String) });

    await runJob(api.db, id, SUCCEED);
    const changed = await api.send('GET', `/v1/jobs/${id}`, { headers: { 'if-none-match': etag } });
    expect(changed.statusCode).toBe(200);
    expect(changed.json()).toMatchObject({ status: 'succeeded', attempt: 1, attemptsMade: 1 });
    expect(changed.headers['retry-after']).toBeUndefined();
  });

  test('a failed job shows its error without the stack, and its dead letter', async () => {
    const id = await api.submit();
    await runJob(api.db, id, FAIL);
    const job = (await api.send('GET', `/v1/jobs/${id}`)).json();

    expect(job.error).toEqual({
      code: 'no_such_account',
      message: 'There is no account 7.',
      retryable: false,
      attempt: 1,
    });
    expect(job.deadLetterId).toMatch(/^dlq_/);
  });

  test('a retrying job says when it is tried again', async () => {
    const id = await api.submit();
    await runJob(api.db, id, RETRY);
    const reply = await api.send('GET', `/v1/jobs/${id}`);

    expect(reply.json()).toMatchObject({ status: 'retrying', nextAttemptAt: reply.json().runAt });
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(50);
  });

  test.each(UNKNOWN_IDS)('the id %s is 404', async (id) => {
    const reply = await api.send('GET', `/v1/jobs/${id}`);

    expect([404, 400]).toContain(reply.statusCode);
    expect(reply.headers['content-type']).toContain('application/problem+json');
  });

  test("another tenant's job is 404 on every route, as if it were not there", async () => {
    const id = await api.submit();
    const routes = [
      ['GET', `/v1/jobs/${id}`],
      ['GET', `/v1/jobs/${id}/result`],
      ['GET', `/v1/jobs/${id}/attempts`],
      ['POST', `/v1/jobs/${id}/cancel`],
      ['POST', `/v1/jobs/${id}/reschedule`],
      ['POST', `/v1/jobs/${id}/copy`],
    ] as const;
    for (const [method, url] of routes) {
      const reply = await api.send(method, url, { key: otherKey });
      expect([url, reply.statusCode, reply.json().code]).toEqual([url, 404, 'job_not_found']);
    }
    expect((await api.send('GET', `/v1/jobs/${id}`)).json().status).toBe('queued');
    expect((await api.send('GET', '/v1/jobs', { key: otherKey })).json().data).toEqual([]);
  });

  test('onComplete=redirect answers 303 to the result once there is one', async () => {
    const id = await api.submit();
    expect((await api.send('GET', `/v1/jobs/${id}?onComplete=redirect`)).statusCode).toBe(200);
    await runJob(api.db, id, SUCCEED);
    const reply = await api.send('GET', `/v1/jobs/${id}?onComplete=redirect`);

    expect(reply.statusCode).toBe(303);
    expect(reply.headers.location).toBe(`/v1/jobs/${id}/result`);
    expect((await api.send('GET', String(reply.headers.location))).json()).toMatchObject({ done: true });
    const head = await api.send('HEAD', `/v1/jobs/${id}?onComplete=redirect`);
    expect([head.statusCode, head.headers.location]).toEqual([303, `/v1/jobs/${id}/result`]);
    const known = { 'if-none-match': String(reply.headers.etag) };
    const again = await api.send('GET', `/v1/jobs/${id}?onComplete=redirect`, { headers: known });
    expect(again.statusCode).toBe(303);
  });

  test('onComplete=redirect answers a job without a result as it is, and waits as long as it is asked to', async () => {
    const [failing, waiting] = [await api.submit(), await api.submit()];
    await runJob(api.db, failing, FAIL);
    const failed = await api.send('GET', `/v1/jobs/${failing}?onComplete=redirect`);
    expect([failed.statusCode, failed.json().status]).toEqual([200, 'failed']);

    const pending = api.send('GET', `/v1/jobs/${waiting}?onComplete=redirect`, {
      headers: { prefer: 'wait=2' },
    });
    await runJob(api.db, waiting, SUCCEED);
    expect((await pending).headers).toMatchObject({
      location: `/v1/jobs/${waiting}/result`,
      'preference-applied': 'wait=2',
    });
    expect((await api.send('GET', `/v1/jobs/${waiting}?onComplete=forget`)).statusCode).toBe(400);
  });
});

test('Retry-After comes from the measured drain of the queue', async () => {
  const first = await api.submit({ queue: 'strict' });
  await Promise.all(Array.from({ length: 99 }, () => api.submit({ queue: 'strict' })));
  const last = await api.submit({ queue: 'strict' });
  await recordWorkerRate(api.db, 'strict', 2);
  await waitUntil(async () => (await api.send('GET', `/v1/jobs/${last}`)).headers['retry-after'] === '50', {
    until: '100 jobs at 2 a second are estimated at 50 seconds',
  });
  expect((await api.send('GET', `/v1/jobs/${first}`)).headers['retry-after']).toBe('1');
});

describe('long-poll', () => {
  test('a job that finishes in time is answered as it is then', async () => {
    const id = await api.submit();
    const pending = api.send('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=2' } });
    await runJob(api.db, id, SUCCEED);
    const reply = await pending;

    expect(reply.json().status).toBe('succeeded');
    expect(reply.headers['preference-applied']).toBe('wait=2');
  });

  test('a notification ends the wait', async () => {
    // Polling takes what it does not know for finished, so this one lives.
    const unknownToPolling = parsePublicId('job', await api.submit()) ?? '';
    const watch = api.app.jobWaiter.watch({ tenantId: api.tenantId, id: unknownToPolling });
    let ended = false;
    void watch.finished.then(() => {
      ended = true;
    });
    const payload = [newUuid(), unknownToPolling].join(',');
    const send = async () => {
      await notify(api.db, CHANNELS.jobFinished, payload);
      return ended;
    };
    await waitUntil(send, { until: 'the notification arrives' });
  });

  test('without any notification polling ends the wait', async () => {
    const id = await api.submit();
    const watch = api.app.jobWaiter.watch({ tenantId: api.tenantId, id: parsePublicId('job', id) ?? '' });
    await runJob(api.db, id, FAIL);
    await watch.finished;
  });

  test('the wait is clamped, and a job that is still pending is 200', async () => {
    const id = await api.submit();
    const started = performance.now();
    const reply = await api.send('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=3600' } });

    expect(reply.statusCode).toBe(200);
    expect(reply.headers['preference-applied']).toBe('wait=2');
    expect(reply.json().status).toBe('queued');
    expect(performance.now() - started).toBeGreaterThan(1_900);
  });

  test('a finished job is answered at once', async () => {
    const id = await api.submit();
    await runJob(api.db, id, SUCCEED);
    const started = performance.now();
    await api.send('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=2' } });

    expect(performance.now() - started).toBeLessThan(900);
  });
});

describe('GET /v1/jobs/{id}/result', () => {
  test('the result is the very JSON that was recorded', async () => {
    const id = await api.submit();
    await runJob(api.db, id, SUCCEED);
    const reply = await api.send('GET', `/v1/jobs/${id}/result`);

    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toContain('application/json');
    expect(reply.body).toBe(SUCCEED.resultJson);
    const etag = String(reply.headers.etag);
    const same = await api.send('GET', `/v1/jobs/${id}/result`, { headers: { 'if-none-match': etag } });
    expect(same.statusCode).toBe(304);
  });

  test('a pending job is 404 job_not_finished with Retry-After', async () => {
    const reply = await api.send('GET', `/v1/jobs/${await api.submit()}/result`);

    expect(reply.statusCode).toBe(404);
    expect(reply.json()).toMatchObject({ code: 'job_not_finished', jobStatus: 'queued' });
    expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  test('a failed job is 409 job_failed with its error', async () => {
    const id = await api.submit();
    await runJob(api.db, id, FAIL);
    const reply = await api.send('GET', `/v1/jobs/${id}/result`);

    expect(reply.statusCode).toBe(409);
    expect(reply.json()).toMatchObject({ code: 'job_failed', jobError: { code: 'no_such_account' } });
  });

  test('canceled and expired jobs are 409', async () => {
    const canceled = await api.submit();
    await api.send('POST', `/v1/jobs/${canceled}/cancel`);
    const expired = await api.submit();
    await finishJobs(api.db, { which: sql`job_id = ${parsePublicId('job', expired)}`, status: 'expired' });

    for (const [id, code] of [
      [canceled, 'job_canceled'],
      [expired, 'job_expired'],
    ] as const) {
      const reply = await api.send('GET', `/v1/jobs/${id}/result`);
      expect([reply.statusCode, reply.json().code]).toEqual([409, code]);
    }
  });
});

describe('GET /v1/jobs/{id}/attempts', () => {
  test('every attempt is told, the running one too', async () => {
    const id = await api.submit();
    await runJob(api.db, id, RETRY);
    await runJob(api.db, id);
    const { data } = (await api.send('GET', `/v1/jobs/${id}/attempts`)).json();

    expect(data).toMatchObject([
      {
        attempt: 1,
        outcome: 'failed',
        error: { code: 'busy', stack: 'Error: at y.ts:2' },
        workerId: expect.stringMatching(/^wrk_/),
      },
      { attempt: 2, outcome: 'running', error: null, finishedAt: null },
    ]);
  });

  test('stacks need the scope dead-letters', async () => {
    const id = await api.submit();
    await runJob(api.db, id, FAIL);
    const created = await api.send('POST', '/v1/api-keys', {
      body: { name: 'reader', scopes: ['jobs:read'] },
    });
    const reply = await api.send('GET', `/v1/jobs/${id}/attempts`, { key: created.json().key });

    expect(reply.json().data[0].error).toEqual({
      code: 'no_such_account',
      message: 'There is no account 7.',
      retryable: false,
    });
  });
});
