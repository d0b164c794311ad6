import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({ MAX_WAIT_SECONDS: '2' });
});
afterAll(async () => await api[Symbol.asyncDispose]());

describe('POST /v1/jobs/{id}/cancel', () => {
  test('200 before it ran, 409 afterwards', async () => {
    const id = await api.submit();
    const first = await api.send('POST', `/v1/jobs/${id}/cancel`);
    const second = await api.send('POST', `/v1/jobs/${id}/cancel`);

    expect([first.statusCode, first.json().status]).toEqual([200, 'canceled']);
    expect([second.statusCode, second.json().code, second.json().jobStatus]).toEqual([
      409,
      'job_already_finished',
      'canceled',
    ]);
  });

  test('202 while it runs', async () => {
    const id = await api.submit();
    await runJob(api.db, id);
    const reply = await api.send('POST', `/v1/jobs/${id}/cancel`, {
      headers: { 'content-type': 'application/json' },
    });

    expect([reply.statusCode, reply.json().status]).toEqual([202, 'running']);
    expect(reply.json().cancelRequestedAt).not.toBeNull();
  });

  test('a cancel wakes whoever waits for the job', async () => {
    const id = await api.submit();
    const pending = api.send('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=2' } });
    await api.send('POST', `/v1/jobs/${id}/cancel`);

    expect((await pending).json().status).toBe('canceled');
  });
});
