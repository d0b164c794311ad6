import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { breakerTargetOf } from '@accepted/shared/core/outbound/breaker-target';
import { openBreaker } from '@accepted/shared/ledger/outbound/breakers';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  const defaults = { maxAttempts: 3, backoff: DEFAULT_BACKOFF, timeoutMs: 10_000 };
  const type = { type: 'http.request', queue: 'default', payloadSchema: {}, defaults };
  await registerBuild(api.db, { id: 'calling', types: [type] });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const SHOWN = {
  type: 'http.request',
  target: 'https://away.test',
  state: 'open',
  errorCode: 'http_503',
  openings: 1,
  openedAt: expect.any(String),
  until: expect.any(String),
};

/** Submits a job that calls, and opens the breaker of what it calls, as a worker does. */
async function submitHeld(payload: { url: string }) {
  const id = await api.submit({ type: 'http.request', payload });
  const { tenant_id: tenantId } = await api.db
    .selectFrom('jobs')
    .select('tenant_id')
    .where('id', '=', String(parsePublicId('job', id)))
    .executeTakeFirstOrThrow();
  const target = breakerTargetOf({ tenantId, type: 'http.request', payload });
  if (!target) throw new Error('It calls nothing.');
  await openBreaker(api.db, target, { errorCode: 'http_503', seconds: { first: 60, most: 60 } });
  return { id, breakerId: target.id };
}

const reasonsOf = async (id: string) =>
  (await api.send('GET', `/v1/jobs/${id}/explain`)).json().reasons as { code: string }[];

test('who waits for a breaker is told so, wherever the job is', async () => {
  const { id, breakerId } = await submitHeld({ url: 'https://away.test/path?key=secret' });
  const [first] = await reasonsOf(id);
  expect(first).toMatchObject({
    code: 'breaker_open',
    target: 'https://away.test',
    until: expect.any(String),
  });
  await runJob(api.db, id, { kind: 'hold', delayMs: 60_000, breakerId });
  const job = (await api.send('GET', `/v1/jobs/${id}`)).json();
  expect(job).toMatchObject({ status: 'retrying', attemptsMade: 0, error: null });
  expect((await reasonsOf(id)).map(({ code }) => code)).toEqual(['breaker_open', 'scheduled']);
});

test('a tenant sees its own', async () => {
  await submitHeld({ url: 'https://away.test/other' });
  expect((await api.send('GET', '/v1/breakers')).json()).toMatchObject({ data: [SHOWN], hasMore: false });
  const key = await createOtherTenant(api.db);
  expect((await api.send('GET', '/v1/breakers', { key })).json().data).toEqual([]);
  const { body } = await api.send('GET', '/metrics');
  expect(body).toContain('accepted_circuit_breakers_open{type="http.request"} 1');
});

test('what calls elsewhere waits for none', async () => {
  const id = await api.submit({ type: 'http.request', payload: { url: 'https://there.test/' } });
  expect((await reasonsOf(id)).map(({ code }) => code)).not.toContain('breaker_open');
});
