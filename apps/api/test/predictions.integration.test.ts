import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import { tellDrain } from '@accepted/shared/ledger/queues/drain';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';

const PER_SECOND = 100;
/** They take three seconds. */
const WAITING = 300;
/** As in `prediction-samples.ts`. */
const SAMPLED_EVERY_MS = 50;

let api: ApiUnderTest;
let ids: string[];
const beginWithBacklog = async () => {
  api = await startApi();
  const worker = { id: newUuid(), hostname: 'test', pid: 1, queues: ['default'], concurrency: 10 };
  await registerWorker(api.db, { ...worker, buildId: TEST_BUILD });
  ids = [];
  for (let submitted = 0; submitted < WAITING; submitted += 1) ids.push(await api.submit());
};

const retryAfterOf = async (id = '') =>
  Number((await api.send('GET', `/v1/jobs/${id}`)).headers['retry-after']);

/** It is foreseen by what was measured within a second. */
const isForeseen = (id: string | undefined, between: [least: number, most: number]) =>
  waitUntil(
    async () => {
      await tellDrain(api.db, 'default', PER_SECOND);
      if (!(await api.app.forecasts.lookAt('default')).isMeasured) return false;
      const seconds = await retryAfterOf(id);
      return seconds >= between[0] && seconds <= between[1];
    },
    { until: 'the wait is foreseen by what was measured' },
  );

/** Says how many predictions were judged, and how many of them were off by no more than this. */
async function shownErrors(upTo = '+Inf'): Promise<number> {
  const { body } = await api.send('GET', '/metrics');
  const name = `accepted_prediction_error_ratio_bucket{le="${upTo}"} `;
  return Number(
    body
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.slice(name.length),
  );
}

/** Runs a job as if it had started so many seconds from now. */
async function startIn(seconds: number, id = ''): Promise<void> {
  await runJob(api.db, id);
  await sql`UPDATE in_flight SET started_at = now() + make_interval(secs => ${seconds})
    WHERE job_id = ${parsePublicId('job', id)}`.execute(api.db);
}

describe('one model of the queue foresees', () => {
  beforeAll(beginWithBacklog);
  afterAll(() => api[Symbol.asyncDispose]());

  test('when it pays to ask for a job again, by where it stands', async () => {
    await isForeseen(ids.at(-1), [2, 3]);
    expect(await retryAfterOf(ids[0])).toBe(1);
    expect(await retryAfterOf(ids[WAITING / 2])).toBeLessThanOrEqual(2);
  });

  test('when it starts, for the one that explains it', async () => {
    await isForeseen(ids.at(-1), [2, 3]);
    const { estimate, reasons } = (await api.send('GET', `/v1/jobs/${ids.at(-1)}/explain`)).json();
    expect(reasons[0]).toMatchObject({ code: 'position', ahead: WAITING - 1 });
    expect(estimate.startsInMs).toBe(((WAITING - 1) / PER_SECOND) * 1_000);
  });

  test('when one would start that comes now, for the 202 and for whoever has a deadline', async () => {
    await isForeseen(ids.at(-1), [2, 3]);
    const submit = (job: object) =>
      api.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {}, ...job } });
    const refused = await submit({ ttlMs: 500 });
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'deadline_unreachable']);
    expect(refused.json().predictedWaitMs).toBeGreaterThan(1_500);
    const accepted = await submit({});
    expect(Number(accepted.headers['retry-after'])).toBeGreaterThanOrEqual(2);
    expect(Number(accepted.headers['retry-after'])).toBeLessThanOrEqual(5);
    await api.send('POST', `/v1/jobs/${accepted.json().id}/cancel`);
  });

  test('nothing while that depends on somebody', async () => {
    await api.send('POST', '/v1/queues/default/pause');
    const { id } = (await api.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {} } })).json();
    await isForeseen(id, [30, 30]);
    await api.send('POST', '/v1/queues/default/resume');
    await isForeseen(id, [2, 3]);
    await api.send('POST', `/v1/jobs/${id}/cancel`);
  });
});

describe('the metrics show by which factor predictions were off', () => {
  beforeAll(beginWithBacklog);
  afterAll(() => api[Symbol.asyncDispose]());

  test('of a job that started later than it was to', async () => {
    const [late] = ids.splice(-2, 1);
    await isForeseen(late, [2, 3]);
    await startIn(4.5, late);
    await waitUntil(async () => (await shownErrors()) > 0, { until: 'it is judged', timeoutMs: 20_000 });
    const judged = await shownErrors();
    expect(await shownErrors('1.4')).toBeLessThan(judged);
    expect(await shownErrors('2.5')).toBe(judged);
  });

  test('not of one that was canceled, nor of one whose queue was paused meanwhile', async () => {
    const [canceled, paused] = ids.splice(-3, 2);
    await isForeseen(canceled, [2, 3]);
    await api.send('POST', `/v1/jobs/${canceled}/cancel`);
    const foreseenAtMs = performance.now();
    await waitUntil(() => performance.now() - foreseenAtMs > SAMPLED_EVERY_MS, {
      until: 'another one is remembered',
    });
    await isForeseen(paused, [2, 3]);
    await api.send('POST', '/v1/queues/default/pause');
    await waitUntil(
      () => api.app.forecasts.areHeldUp('default', { tenantId: api.tenantId, type: 'test.echo' }),
      {
        until: 'it is seen that the queue is paused',
      },
    );
    const count = await shownErrors();
    await startIn(10, paused);
    const pausedAtMs = performance.now();
    await waitUntil(() => performance.now() - pausedAtMs > 7_000, {
      until: 'both would have been judged',
      timeoutMs: 10_000,
    });
    await api.send('POST', '/v1/queues/default/resume');
    expect(await shownErrors()).toBe(count);
  });
});
