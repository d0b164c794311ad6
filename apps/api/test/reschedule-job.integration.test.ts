import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
    queues: ['strict'],
    concurrency: 9,
    buildId: TEST_BUILD,
  });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const error = { code: 'busy', message: 'Busy.', retryable: true };
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const reschedule = (id: string, body: object, key?: string) =>
  api.send('POST', `/v1/jobs/${id}/reschedule`, { body, ...(key && { key }) });
const get = async (id: string) => (await api.send('GET', `/v1/jobs/${id}`)).json();
/** A job of a queue of its own, so that the dispatch of a test finds it alone. */
const submit = (request: object = {}) => api.submit({ queue: 'strict', ...request });

describe('POST /v1/jobs/{id}/reschedule', () => {
  test('moves a scheduled job to a later and to a sooner time, and counts the version up', async () => {
    const id = await submit({ delayMs: 60_000 });
    const runAt = inAnHour();
    const later = await reschedule(id, { runAt });
    expect([later.statusCode, later.headers.etag]).toEqual([200, '"v2"']);
    expect(later.json()).toMatchObject({ id, status: 'scheduled', runAt, version: 2 });
    expect(later.headers['retry-after']).toBeDefined();

    const sooner = await reschedule(id, { delayMs: 1_000 });
    expect(sooner.json()).toMatchObject({ status: 'scheduled', version: 3 });
    expect(Date.parse(sooner.json().runAt)).toBeLessThan(Date.parse(runAt));
    expect(await get(id)).toEqual(sooner.json());
  });

  test('is the same however often it is sent', async () => {
    const id = await submit({ delayMs: 60_000 });
    const runAt = inAnHour();
    const [first, second] = [await reschedule(id, { runAt }), await reschedule(id, { runAt })];
    expect([second.statusCode, second.json()]).toEqual([200, first.json()]);
    const now = [await reschedule(id, { delayMs: 0 }), await reschedule(id, { delayMs: 0 })];
    expect(now.map((reply) => reply.json().status)).toEqual(['queued', 'queued']);
    expect(now.map((reply) => reply.json().version)).toEqual([3, 3]);
  });

  test('has a retrying job tried at once, or later, with its attempts as they are', async () => {
    const id = await submit({ retry: { maxAttempts: 3 } });
    await runJob(api.db, id, { kind: 'retry', delayMs: 60_000, error });
    const runAt = inAnHour();
    expect((await reschedule(id, { runAt })).json()).toMatchObject({
      status: 'retrying',
      nextAttemptAt: runAt,
      attempt: 1,
      attemptsMade: 1,
      error: { code: 'busy' },
    });
    expect((await reschedule(id, { delayMs: 0 })).json()).toMatchObject({
      status: 'queued',
      nextAttemptAt: null,
      attemptsMade: 1,
    });
  });

  test('takes a job back from the engine: its old delivery claims nothing, however it goes on', async () => {
    const id = await submit();
    const { jobs: first } = await dispatchJobs(api.db, 'strict', testLane(100));
    expect(first.map((job) => job.id)).toContain(parsePublicId('job', id));
    const put = await reschedule(id, { delayMs: 3_600_000 });
    expect(put.json()).toMatchObject({ status: 'scheduled', dispatchedAt: null });
    const claimed = async (jobs: typeof first) =>
      (await claimJobs(api.db, workerId, jobs)).some((job) => job?.id === parsePublicId('job', id));
    const ours = first.filter((job) => job.id === parsePublicId('job', id));
    expect(await claimed(ours)).toBe(false);

    expect((await reschedule(id, { delayMs: 0 })).json().status).toBe('queued');
    expect(await claimed(ours)).toBe(false);
    const { jobs: second } = await dispatchJobs(api.db, 'strict', testLane(100));
    expect(await claimed(ours)).toBe(false);
    expect(await claimed(second)).toBe(true);
  });

  test('takes times in the past minute for now, as a submit does', async () => {
    const id = await submit({ delayMs: 60_000 });
    const justNow = new Date(Date.now() - 1_000).toISOString();
    expect((await reschedule(id, { runAt: justNow })).json().status).toBe('queued');
  });

  test('lets the job become due at the new time', async () => {
    const id = await submit({ delayMs: 60_000 });
    await reschedule(id, { delayMs: 1 });
    await api.db.selectNoFrom((eb) => eb.fn('pg_sleep', [eb.val(0.01)]).as('slept')).execute();
    await queueDueJobs(api.db, 100);
    expect((await get(id)).status).toBe('queued');
  });

  test('leaves the expiry as it is', async () => {
    const id = await submit({ delayMs: 60_000, ttlMs: 120_000 });
    const { expiresAt } = await get(id);
    expect((await reschedule(id, { delayMs: 90_000 })).json()).toMatchObject({
      status: 'scheduled',
      expiresAt,
    });
  });

  test('refuses a time that the job would not live to see, and changes nothing', async () => {
    const id = await submit({ delayMs: 60_000, ttlMs: 120_000 });
    const before = await get(id);
    for (const [body, pointer] of [
      [{ delayMs: 130_000 }, '/delayMs'],
      [{ runAt: new Date(Date.now() + 3_600_000).toISOString() }, '/runAt'],
    ] as const) {
      const reply = await reschedule(id, body);
      expect([reply.statusCode, reply.json().errors[0].pointer]).toEqual([422, pointer]);
    }
    expect(await get(id)).toEqual(before);
    expect((await reschedule(id, { delayMs: 0 })).statusCode).toBe(200);
  });

  test.each([
    ['runs', 'job_running', (id: string) => runJob(api.db, id)],
    [
      'succeeded',
      'job_already_finished',
      (id: string) => runJob(api.db, id, { kind: 'succeed', resultJson: '1' }),
    ],
    ['was canceled', 'job_already_finished', (id: string) => api.send('POST', `/v1/jobs/${id}/cancel`)],
  ])('answers 409 to a job that %s, and changes nothing', async (_name, code, end) => {
    const id = await submit();
    await end(id);
    const before = await get(id);
    const reply = await reschedule(id, { delayMs: 1_000 });
    expect(reply.statusCode).toBe(409);
    expect(reply.json()).toMatchObject({ code, jobStatus: before.status });
    expect(await get(id)).toEqual(before);
  });

  test.each([
    [{}, ['']],
    [{ runAt: inAnHour(), delayMs: 1 }, ['/delayMs']],
    [{ runAt: '9999-12-31T23:59:59-23:59' }, ['/runAt']],
    [{ runAt: '2020-01-01T00:00:00Z' }, ['/runAt']],
    [{ delayMs: 367 * 86_400_000 }, ['/delayMs']],
    [{ delayMs: -1, when: 'now' }, ['/delayMs', '/when']],
    [null, ['']],
    [[], ['']],
  ])('%j is 422', async (body, pointers) => {
    const id = await submit();
    const reply = await api.send('POST', `/v1/jobs/${id}/reschedule`, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    expect([reply.statusCode, reply.json().code]).toEqual([422, 'validation_failed']);
    expect(
      reply
        .json()
        .errors.map((fault: { pointer: string }) => fault.pointer)
        .sort(),
    ).toEqual(pointers);
    expect((await get(id)).version).toBe(1);
  });

  test("another tenant's job is as if it were not there", async () => {
    const id = await submit({ delayMs: 60_000 });
    const other = await createOtherTenant(api.db);
    for (const body of [{ delayMs: 0 }, {}, { delayMs: 'x' }])
      expect((await reschedule(id, body, other)).json()).toMatchObject({
        status: 404,
        code: 'job_not_found',
      });
    expect((await get(id)).version).toBe(1);
  });
});
