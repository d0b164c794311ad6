import { CHANNELS, listen } from '@accepted/shared/ledger/connection/notifications';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
let listener: { close(): Promise<void> };
const ready: string[] = [];
const canceled: string[] = [];
beforeAll(async () => {
  api = await startApi();
  const listeners = {
    [CHANNELS.queueHasWork]: (queue: string) => void ready.push(queue),
    [CHANNELS.cancelRequested]: (ids: string) => void canceled.push(...ids.split(',')),
  };
  listener = listen(api.url, listeners, { applicationName: 'test', onError: () => undefined });
  const isHeard = async () => {
    await api.submit({ queue: 'strict' });
    return ready.includes('strict');
  };
  await waitUntil(isHeard, { until: 'notifications are heard' });
});
afterAll(async () => {
  await listener.close();
  await api[Symbol.asyncDispose]();
});
beforeEach(() => {
  ready.length = 0;
  canceled.length = 0;
});

const isTold = () =>
  waitUntil(() => ready.includes('default'), { until: 'the dispatchers of the queue are told' });

test('the dispatchers are told of a job that is submitted', async () => {
  await api.submit();
  await isTold();
});

test('the dispatchers are told of a burst a few times, not once a job', async () => {
  const jobs = 1_000;
  await Promise.all(Array.from({ length: jobs }, () => api.submit()));
  await isTold();
  await api.submit({ queue: 'strict' });
  await waitUntil(() => ready.includes('strict'), { until: 'all that was told before was heard' });
  expect(ready.filter((queue) => queue === 'default').length).toBeLessThanOrEqual(jobs / 100);
});

test('the dispatchers are told of a job that is replayed', async () => {
  const id = await api.submit();
  const error = { code: 'x', message: 'x', retryable: false };
  await runJob(api.db, id, { kind: 'deadLetter', reason: 'permanent_error', error });
  const { deadLetterId } = (await api.send('GET', `/v1/jobs/${id}`)).json();
  ready.length = 0;
  const reply = await api.send('POST', `/v1/dead-letters/${deadLetterId}/replay`, {
    body: { reason: 'mended' },
  });
  expect(reply.statusCode).toBe(202);
  await isTold();
});

test('the worker of a running job is told of its cancel', async () => {
  const id = await api.submit();
  await runJob(api.db, id);
  expect((await api.send('POST', `/v1/jobs/${id}/cancel`)).statusCode).toBe(202);
  await waitUntil(() => canceled.length === 1, { until: 'the workers are told' });
});

test('a client that leaves while it waits is waited for no longer', async () => {
  const id = await api.submit();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const address = api.app.server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  const leaving = new AbortController();
  const reply = fetch(`http://127.0.0.1:${address.port}/v1/jobs/${id}`, {
    headers: { authorization: `Bearer ${api.key}`, prefer: 'wait=30' },
    signal: leaving.signal,
  });
  await waitUntil(() => api.app.jobWaiter.count() === 1, { until: 'the server waits for the job' });
  leaving.abort();
  await expect(reply).rejects.toThrow();
  await waitUntil(() => api.app.jobWaiter.count() === 0, { until: 'it waits no longer', timeoutMs: 5_000 });
});
