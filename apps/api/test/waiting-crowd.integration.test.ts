import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';

const CROWD = 2_000;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

test('2,000 that wait for one job are all told of its end, and another tenant is served meanwhile', async () => {
  const other = await createOtherTenant(api.db);
  const id = await api.submit();
  const wait = () => api.send('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=30' } });
  const crowd = Array.from({ length: CROWD }, wait);
  await waitUntil(() => !api.app.waitRoom.hasRoom(api.tenantId) || api.app.jobWaiter.count() === 1, {
    until: 'they wait',
  });
  await runJob(api.db, id, { kind: 'succeed', resultJson: '1' });
  api.app.jobWaiter.wakeAll();
  const others = await Promise.all(
    Array.from({ length: 20 }, () => api.send('GET', '/v1/jobs', { key: other })),
  );
  const replies = await Promise.all(crowd);
  expect(new Set(others.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  const answers = replies.map((reply) => `${reply.statusCode} ${reply.json().status}`);
  expect(new Set(answers)).toEqual(new Set(['200 succeeded']));
}, 30_000);

test('who finds no room to wait is answered at once, and told so', async () => {
  const id = await api.submit();
  const leaves = Array.from({ length: 4_000 }, () => api.app.waitRoom.enter(api.tenantId));
  const headers = { prefer: 'wait=30' };
  const reply = await api.send('GET', `/v1/jobs/${id}`, { headers });
  expect([reply.statusCode, reply.headers['preference-applied']]).toEqual([200, 'wait=0']);
  const submitted = await api.send('POST', '/v1/jobs', { headers, body: { type: 'test.echo', payload: {} } });
  expect([submitted.statusCode, submitted.headers['preference-applied']]).toEqual([202, 'wait=0']);
  for (const leave of leaves) leave();
});
