import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import { ImpatientClient } from '@accepted/shared/ledger/connection/impatient-client';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { findDeliveries } from '@accepted/shared/ledger/webhooks/webhook-deliveries';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeReady } from '@accepted/testing/move-jobs';
import { TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
const workerId = newUuid();
beforeAll(async () => {
  api = await startApi();
  // As the process does before it listens: compiling the schemas takes long on a busy machine.
  await api.app.ready();
  await api.app.catalog.read();
  await registerWorker(api.db, {
    id: workerId,
    hostname: 'test',
    pid: 1,
    queues: ['webhooks'],
    concurrency: 9,
    buildId: TEST_BUILD,
  });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const SUCCEED = { kind: 'succeed', resultJson: '{}' } as const;
const error = {
  code: 'http_500',
  message: 'The endpoint answered 500.',
  retryable: true,
  stack: 'Error: at x',
};
const webhook = { url: 'https://example.com/hook?token=t', events: ['job.succeeded', 'job.failed'] };
const get = (id: string, headers: Record<string, string> = {}) =>
  api.send('GET', `/v1/jobs/${id}`, { headers });

/** Tries what waits in the queue of deliveries, as a worker does. */
async function deliver(outcome: Outcome): Promise<void> {
  await makeReady(api.db);
  const { jobs } = await dispatchJobs(api.db, 'webhooks', testLane(100));
  const claimed = (await claimJobs(api.db, workerId, jobs)).filter((job) => job !== undefined);
  await recordOutcomes(
    api.db,
    claimed.map((job) => ({ job, outcome })),
    {},
  );
}

describe('GET /v1/jobs/{id} leads from a job to its webhook', () => {
  test('from before the event to its last try', async () => {
    const id = await api.submit({ webhook });
    expect((await get(id)).json().webhook).toEqual({ ...webhook, deliveries: [] });
    await runJob(api.db, id, SUCCEED);

    const [delivery, ...others] = (await get(id)).json().webhook.deliveries;
    expect(others).toEqual([]);
    const waiting = { event: 'job.succeeded', status: 'queued', tries: 0, lastError: null };
    expect(delivery).toEqual({ id: expect.stringMatching(/^job_/), ...waiting });
    expect((await get(delivery.id)).json()).toMatchObject({ type: 'webhook.deliver', webhook: null });

    await deliver({ kind: 'retry', delayMs: 5_000, error });
    const { stack: _stack, ...shown } = error;
    expect((await get(id)).json().webhook.deliveries).toEqual([
      { ...delivery, status: 'retrying', tries: 1, lastError: { ...shown, attempt: 1 } },
    ]);
    await deliver(SUCCEED);
    expect((await get(id)).json().webhook.deliveries).toEqual([
      { ...delivery, status: 'succeeded', tries: 2, lastError: null },
    ]);
  });

  test('and the ETag changes with the deliveries, so that no 304 hides them', async () => {
    const id = await api.submit({ webhook });
    const steps = [
      () => runJob(api.db, id, SUCCEED),
      () => deliver({ kind: 'retry', delayMs: 5_000, error }),
      () => deliver(SUCCEED),
    ];
    let etag = String((await get(id)).headers.etag);
    expect(etag).toBe('"v1"');
    for (const step of steps) {
      expect((await get(id, { 'if-none-match': etag })).statusCode).toBe(304);
      await step();
      const changed = await get(id, { 'if-none-match': etag });
      expect(changed.statusCode).toBe(200);
      etag = String(changed.headers.etag);
    }
    const head = await api.send('HEAD', `/v1/jobs/${id}`);
    expect(head.headers.etag).toBe(etag);
  });

  test('with one delivery for each end, the newest first, and the newest 20 of many', async () => {
    const id = await api.submit({ webhook });
    const ends = 22;
    const dead = {
      kind: 'deadLetter',
      reason: 'permanent_error',
      error: { ...error, retryable: false },
    } as const;
    for (let end = 1; end < ends; end += 1) {
      await runJob(api.db, id, dead);
      const { deadLetterId } = (await get(id)).json();
      const reply = await api.send('POST', `/v1/dead-letters/${deadLetterId}/replay`);
      expect([reply.statusCode, reply.json().webhook.deliveries.length]).toEqual([202, Math.min(end, 20)]);
    }
    expect((await get(id)).json()).toMatchObject({ status: 'queued' });
    await runJob(api.db, id, SUCCEED);
    const events = (await get(id)).json().webhook.deliveries.map(({ event }: { event: string }) => event);
    expect(events).toEqual(['job.succeeded', ...Array.from({ length: 19 }, () => 'job.failed')]);
  });

  test('also for a job that was canceled, whose delivery its tenant makes', async () => {
    const id = await api.submit({ webhook: { url: 'https://example.com/hook' } });
    const reply = await api.send('POST', `/v1/jobs/${id}/cancel`);
    expect(reply.json().webhook.deliveries).toMatchObject([{ event: 'job.canceled' }]);
    expect(reply.headers.etag).toBe((await get(id)).headers.etag);
  });

  test('and not for events that it did not ask for, nor without a webhook', async () => {
    const unasked = await api.submit({ webhook });
    await api.send('POST', `/v1/jobs/${unasked}/cancel`);
    expect((await get(unasked)).json().webhook).toEqual({ ...webhook, deliveries: [] });
    const without = await api.submit();
    await runJob(api.db, without, SUCCEED);
    expect((await get(without)).json().webhook).toBeNull();
  });

  test('and an answer to a repeated request shows them as well', async () => {
    const body = { type: 'test.echo', payload: {}, webhook };
    const send = () =>
      api.send('POST', '/v1/jobs', { body, headers: { 'idempotency-key': 'with a webhook' } });
    const { id } = (await send()).json();
    await runJob(api.db, id, SUCCEED);
    expect((await send()).json().webhook.deliveries).toMatchObject([{ event: 'job.succeeded' }]);
  });

  test('but never to that of another tenant', async () => {
    const id = await api.submit({ webhook });
    await runJob(api.db, id, SUCCEED);
    const uuid = parsePublicId('job', id) ?? '';
    expect((await findDeliveries(api.db, api.tenantId, [uuid])).size).toBe(1);
    expect((await findDeliveries(api.db, newUuid(), [uuid])).size).toBe(0);
    const other = await createOtherTenant(api.db);
    expect((await api.send('GET', `/v1/jobs/${id}`, { key: other })).statusCode).toBe(404);
  });
});

test('what is sent has the job without its payload and without the webhook', async () => {
  const id = await api.submit({ payload: { count: 1 }, webhook });
  await runJob(api.db, id, SUCCEED);
  const [{ id: deliveryId }] = (await get(id)).json().webhook.deliveries;
  const { body } = (await get(deliveryId)).json().payload;
  const { payload: _payload, webhook: _webhook, ...sent } = (await get(id)).json();
  expect(JSON.parse(body).data).toEqual(sent);
});

describe('GET /v1/jobs', () => {
  test('shows the deliveries of each job, with one statement for a page', async () => {
    const ids = [];
    for (let job = 0; job < 3; job += 1) {
      ids.unshift(await api.submit({ tags: ['page'], webhook }));
      await runJob(api.db, ids[0] ?? '', SUCCEED);
    }
    await api.submit({ tags: ['page'] });
    const statements = await statementsDuring('/v1/jobs?tag=page');
    const { data } = (await api.send('GET', '/v1/jobs?tag=page')).json();
    expect(data.map((job: { webhook: unknown }) => job.webhook)).toMatchObject([
      null,
      ...ids.map(() => ({ ...webhook, deliveries: [{ event: 'job.succeeded' }] })),
    ]);
    expect(statements.filter((text) => text.includes('webhook_deliveries'))).toHaveLength(1);
  });

  test('and one job without a webhook, or not finished yet, costs nothing more', async () => {
    const [plain, pending] = [await api.submit(), await api.submit({ webhook })];
    await runJob(api.db, plain, SUCCEED);
    for (const id of [plain, pending])
      expect((await statementsDuring(`/v1/jobs/${id}`)).join()).not.toContain('webhook_deliveries');
  });
});

/** Collects the text of every statement that a request sends. */
async function statementsDuring(url: string): Promise<string[]> {
  const query = vi.spyOn(ImpatientClient.prototype, 'query');
  try {
    expect((await api.send('GET', url)).statusCode).toBe(200);
    return query.mock.calls.map(([statement]) => JSON.stringify(statement));
  } finally {
    query.mockRestore();
  }
}
