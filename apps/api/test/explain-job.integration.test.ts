import { newUuid } from '@accepted/shared/core/job/id';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(async () => await api[Symbol.asyncDispose]());

async function explain(id: string) {
  const reply = await api.send('GET', `/v1/jobs/${id}/explain`);
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json() as {
    status: string;
    reasons: { code: string; message: string; heldBy?: string[] }[];
    estimate: { startsInMs: number; p90Ms: number } | null;
  };
}

const codesOf = async (id: string) => (await explain(id)).reasons.map(({ code }) => code);

async function startWorker(): Promise<void> {
  const id = newUuid();
  const worker = { hostname: 'test', pid: 1, queues: ['default'], concurrency: 10, buildId: TEST_BUILD };
  await registerWorker(api.db, { id, ...worker });
}

describe('a job that is due', () => {
  test('waits for a worker, and once there is one for its turn', async () => {
    const [first = '', second = ''] = [await api.submit(), await api.submit()];
    expect(await explain(first)).toEqual({
      status: 'queued',
      reasons: [{ code: 'no_worker', message: expect.any(String) }],
      estimate: null,
    });
    await startWorker();
    const explained = await waitUntil(
      async () => {
        const answer = await explain(second);
        return answer.reasons[0]?.code === 'position' && answer;
      },
      { until: 'a look at the queue shows the worker' },
    );
    expect(explained).toEqual({
      status: 'queued',
      reasons: [{ code: 'position', message: expect.any(String), ahead: 1, isAtLeast: false }],
      estimate: { startsInMs: 100, p90Ms: expect.any(Number) },
    });
  });

  test('is told all that holds it up, the hardest first', async () => {
    const id = await api.submit();
    await api.send('POST', '/v1/job-types/test.echo/pause');
    await api.send('POST', '/v1/queues/default/pause');
    expect(await codesOf(id)).toEqual(['queue_paused', 'type_paused', 'no_worker']);
    const { waiting } = (await api.send('GET', '/v1/queues/default')).json();
    expect(waiting).toEqual([{ reason: 'queue_paused', jobs: 1 }]);
  });
});

test('a job is explained wherever it is', async () => {
  const scheduled = await api.submit({ delayMs: 60_000 });
  const { reasons, estimate } = await explain(scheduled);
  expect(reasons).toEqual([{ code: 'scheduled', message: expect.any(String), until: expect.any(String) }]);
  expect(estimate?.startsInMs).toBeGreaterThan(50_000);

  const error = { code: 'broken', message: 'It broke.', retryable: true };
  const retrying = await api.submit();
  await runJob(api.db, retrying, { kind: 'retry', delayMs: 60_000, error });
  expect((await explain(retrying)).reasons).toEqual([
    expect.objectContaining({ code: 'backoff', error: expect.objectContaining({ code: 'broken' }) }),
  ]);

  const running = await api.submit();
  await runJob(api.db, running);
  expect(await codesOf(running)).toEqual(['running']);
  const finished = await api.submit();
  await runJob(api.db, finished, { kind: 'succeed', resultJson: '1' });
  expect(await explain(finished)).toMatchObject({ reasons: [{ code: 'finished' }], estimate: null });
});

test("another tenant's job is 404", async () => {
  const key = await createOtherTenant(api.db);
  const reply = await api.send('GET', `/v1/jobs/${await api.submit()}/explain`, { key });
  expect([reply.statusCode, reply.json().code]).toEqual([404, 'job_not_found']);
});

describe('GET /v1/scaling', () => {
  const scaling = async (query = '') => (await api.send('GET', `/v1/scaling${query}`)).json();

  test('asks for nobody when there is nothing to do, and for one when there is nobody', async () => {
    expect((await scaling('?queue=default')).data).toEqual([
      { queue: 'default', desiredWorkers: 0, workers: 0, backlog: 0, oldestAgeMs: 0, drainPerSecond: 0 },
    ]);
    await api.submit();
    const busy = await waitUntil(
      async () => {
        const [one] = (await scaling('?queue=default')).data;
        return one.desiredWorkers > 0 && one;
      },
      { until: 'the job is counted' },
    );
    expect(busy).toMatchObject({ desiredWorkers: 1, backlog: 1, oldestAgeMs: expect.any(Number) });
    expect((await scaling()).data.map(({ queue }: { queue: string }) => queue)).toEqual([
      'default',
      'strict',
      'webhooks',
    ]);
  });

  test('asks for nobody for what is paused', async () => {
    await api.submit();
    await api.send('POST', '/v1/queues/default/pause');
    expect((await scaling('?queue=default')).data[0]).toMatchObject({ desiredWorkers: 0, backlog: 0 });
  });

  test('knows its queues', async () => {
    expect(await scaling('?queue=nope')).toMatchObject({ status: 404, code: 'queue_not_found' });
    expect(await scaling('?queue=')).toMatchObject({ status: 400, code: 'invalid_parameter' });
  });
});
