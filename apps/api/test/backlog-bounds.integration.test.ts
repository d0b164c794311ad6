import { countBacklogs } from '@accepted/shared/ledger/limits/backlogs';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createOtherTenant } from './api-under-test.ts';
import { startProcess, startTwoProcesses, times } from './two-processes.ts';

const rig = await startTwoProcesses();
const { api, other, ownTenant, submit, statusesOf, layDown: bound } = rig;
afterAll(() => rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await sql`TRUNCATE jobs, ready, due, in_flight, blocked, attempts`.execute(api.db);
  await countBacklogs(api.db);
  await bound('queues/default', { maxBacklog: null, maxBacklogPerTenant: null });
  await bound(`tenants/${await ownTenant()}`, { maxBacklog: null });
});

test('a queue takes as many jobs as it may have, and one more for each that ends', async () => {
  await bound('queues/default', { maxBacklog: 30 });
  expect(await statusesOf(33)).toEqual([...times(30, 202), ...times(3, 503)]);
  const refused = await submit();
  expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(refused.json()).toMatchObject({ code: 'queue_backlog_full', violatedPolicies: ['queue-backlog'] });
  const { data } = (await api.send('GET', '/v1/jobs?limit=1')).json();
  expect((await api.send('POST', `/v1/jobs/${data[0].id}/cancel`)).statusCode).toBe(200);
  await waitUntil(async () => (await submit()).statusCode === 202, {
    until: 'there is room',
    timeoutMs: 1_000,
  });
  expect((await submit()).statusCode).toBe(503);
});

test('two processes together let no more in than that, however many come at once', async () => {
  await bound('queues/default', { maxBacklog: 40 });
  const statuses = await Promise.all(
    Array.from({ length: 200 }, (_, place) => submit({ app: place % 2 === 0 ? api.app : other })),
  );
  const codes = statuses.map(({ statusCode }) => statusCode).toSorted();
  expect(codes).toEqual([...times(40, 202), ...times(160, 503)]);
  expect((await submit({ app: other })).statusCode).toBe(503);
});

test('a tenant takes as many as it may have, in all and in a queue, and no other is refused for it', async () => {
  const key = await createOtherTenant(api.db);
  await bound(`tenants/${await ownTenant()}`, { maxBacklog: 4 });
  expect(await statusesOf(6)).toEqual([...times(4, 202), 429, 429]);
  expect((await submit()).json()).toMatchObject({
    code: 'tenant_backlog_full',
    violatedPolicies: ['tenant-backlog'],
  });
  expect(await statusesOf(6, { key })).toEqual(times(6, 202));
  await bound('queues/default', { maxBacklogPerTenant: 8 });
  expect(await statusesOf(4, { key, app: other })).toEqual([202, 202, 429, 429]);
  expect((await submit({ key })).json()).toMatchObject({ violatedPolicies: ['tenant-backlog-in-queue'] });
});

test('who comes again with the key of a job that was accepted is told of it, however full the queue is', async () => {
  await bound('queues/default', { maxBacklog: 1 });
  const headers = { 'idempotency-key': 'again' };
  const first = await submit({ headers });
  expect(first.statusCode).toBe(202);
  expect((await submit()).statusCode).toBe(503);
  const again = await submit({ headers, app: other });
  expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([202, 'true']);
  expect(again.json().id).toBe(first.json().id);
});

test('a backlog whose count was lost, as by a crash of Postgres, is bounded again once it was counted', async () => {
  await bound('queues/default', { maxBacklog: 5 });
  expect(await statusesOf(6)).toEqual([...times(5, 202), 503]);
  await sql`TRUNCATE backlogs, backlog_changes, backlogs_counted`.execute(api.db);
  await waitUntil(async () => (await submit({ app: other })).statusCode === 503, {
    until: 'the queue is known to be full',
    timeoutMs: 2_000,
  });
  expect((await submit()).statusCode).toBe(503);
});

test.each([
  ['a queue', () => bound('queues/default', { maxBacklog: 5 }), 503],
  ['a tenant', async () => bound(`tenants/${await ownTenant()}`, { maxBacklog: 5 }), 429],
])('a process that starts when the count was lost lets no job more into %s', async (_whose, lay, refusal) => {
  await lay();
  expect(await statusesOf(6)).toEqual([...times(5, 202), refusal]);
  await sql`TRUNCATE backlogs, backlog_changes, backlogs_counted`.execute(api.db);
  await using started = await startProcess(api.url);
  expect(await statusesOf(20, { app: started.app })).toEqual(times(20, refusal));
});

test('a process that starts while nobody can count lets nothing in, and as much as may be when somebody can', async () => {
  await bound(`tenants/${await ownTenant()}`, { maxBacklog: 5 });
  expect(await statusesOf(4)).toEqual(times(4, 202));
  await sql`ALTER TABLE backlogs RENAME TO backlogs_away`.execute(api.db);
  await using started = await startProcess(api.url);
  expect(await statusesOf(2, { app: started.app })).toEqual(times(2, 503));
  await sql`ALTER TABLE backlogs_away RENAME TO backlogs`.execute(api.db);
  expect(await statusesOf(3, { app: started.app })).toEqual([202, 429, 429]);
});

test('whoever was not waited for while the count hung takes no room', async () => {
  // More than come in before the last count is too old.
  const most = 60;
  await bound('queues/default', { maxBacklog: most });
  await api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE backlogs IN ACCESS EXCLUSIVE MODE`.execute(tx);
    await waitUntil(async () => (await submit()).statusCode === 503, { until: 'a count is waited for' });
    expect(await statusesOf(2)).toEqual([503, 503]);
  });
  await waitUntil(async () => (await submit()).statusCode === 202, { until: 'counts are made again' });
  const { data } = (await api.send('GET', '/v1/jobs?limit=100')).json();
  const room = most - data.length;
  expect(await statusesOf(room + 1)).toEqual([...times(room, 202), 503]);
});
