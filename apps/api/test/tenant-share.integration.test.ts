import { newUuid } from '@accepted/shared/core/job/id';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { createApiKey, TENANT_SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { makeJob } from '@accepted/testing/factories';
import { changeLive, dispatchOne } from '@accepted/testing/move-jobs';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';
import { keyWith } from './dead-letters-under-test.ts';
import { recordWorkerRate } from './worker-rate.ts';

interface QueueSeen {
  name: string;
  depth: Record<string, number>;
  oldestWaitMs: number | null;
  finishedPerSecond: number | null;
  workers: { count: number; concurrency: number };
}

let api: ApiUnderTest;
let otherTenant: string;
beforeAll(async () => {
  api = await startApi();
  otherTenant = newUuid();
  await sql`INSERT INTO tenants (id, name, webhook_secret) VALUES (${otherTenant}, 'other', 'whsec_')`.execute(
    api.db,
  );
});
afterAll(async () => await api[Symbol.asyncDispose]());

const keyOf = async (tenantId: string) =>
  (await createApiKey(api.db, { tenantId, name: 'test', scopes: TENANT_SCOPES, actor: 'test' })).text;

async function queuesFor(key: string): Promise<Map<string, QueueSeen>> {
  const reply = await api.send('GET', '/v1/queues', { key });
  return new Map(reply.json().data.map((queue: QueueSeen) => [queue.name, queue]));
}

interface Waiting {
  reason: string;
  jobs: number;
}

const sumOf = (waiting: Waiting[]) => waiting.reduce((sum, { jobs }) => sum + jobs, 0);
const reasonsOf = (waiting: Waiting[]) => waiting.map(({ reason }) => reason);

/** Gives a tenant a job of each status that is not final, and one more that is dispatched and not claimed. */
async function fillQueue(tenantId: string): Promise<void> {
  const later = { runAt: new Date(Date.now() + 3_600_000) };
  const jobs = [{}, {}, later, later, {}, {}].map((more) => makeJob({ tenantId, ...more }));
  await insertJobs(api.db, jobs);
  const [waiting, dispatched, , retrying, running, done] = jobs.map(({ id }) => id);
  await changeLive(api.db, sql`run_at = now() - interval '1 minute'`, sql`job_id = ${waiting}`);
  await changeLive(api.db, sql`run_at = now() - interval '1 hour'`, sql`job_id = ${dispatched}`);
  await dispatchOne(api.db, dispatched ?? '');
  await sql`UPDATE due SET status = 'retrying' WHERE job_id = ${retrying}`.execute(api.db);
  await runJob(api.db, running ?? '');
  await runJob(api.db, done ?? '', { kind: 'succeed', resultJson: '1' });
}

test("a tenant sees its own jobs in the queues and nothing of others', the operator sees all", async () => {
  const [ours, theirs] = [await keyOf(api.tenantId), await keyOf(otherTenant)];
  await fillQueue(otherTenant);
  await recordWorkerRate(api.db, 'default', 12.5);

  const operator = await keyWith(api, ['operator']);
  await waitUntil(async () => (await queuesFor(operator)).get('default')?.depth.queued === 2, {
    until: 'the operator sees the jobs of others',
  });
  expect((await queuesFor(operator)).get('default')).toMatchObject({
    depth: { queued: 2, scheduled: 1, retrying: 1, running: 1 },
    finishedPerSecond: 12.5,
  });
  const share = (await queuesFor(theirs)).get('default');
  expect(share).toMatchObject({
    depth: { queued: 2, scheduled: 1, retrying: 1, running: 1 },
    finishedPerSecond: null,
  });
  expect(share?.oldestWaitMs).toBeGreaterThanOrEqual(3_600_000);
  expect((await queuesFor(ours)).get('default')).toMatchObject({
    depth: { queued: 0, scheduled: 0, retrying: 0, running: 0 },
    oldestWaitMs: null,
    finishedPerSecond: null,
    workers: { count: expect.any(Number) },
  });
  const one = await api.send('GET', '/v1/queues/default', { key: ours });
  expect(one.json()).toEqual({
    ...(await queuesFor(ours)).get('default'),
    waiting: [],
  });
});

test('what waits adds up to what is queued, with what is on its way to a worker: of the tenant, or of all', async () => {
  const someone = newUuid();
  await sql`INSERT INTO tenants (id, name, webhook_secret) VALUES (${someone}, 'someone', 'whsec_')`.execute(
    api.db,
  );
  const read = async (key: string) => (await api.send('GET', '/v1/queues/default', { key })).json();
  const operator = await keyWith(api, ['operator']);
  const before = (await read(operator)).depth.queued;
  await fillQueue(someone);
  const all = await waitUntil(
    async () => {
      const queue = await read(operator);
      return queue.depth.queued === before + 2 && sumOf(queue.waiting) === before + 2 && queue;
    },
    { until: 'the operator sees what the tenant has, wherever it waits' },
  );
  expect(reasonsOf(all.waiting)).toContain('in_delivery');
  const key = await keyOf(someone);
  const { depth, waiting } = await read(key);
  expect(depth.queued).toBe(2);
  expect(waiting).toEqual([
    { reason: 'no_worker', jobs: 1 },
    { reason: 'in_delivery', jobs: 1 },
  ]);
  expect((await explainQueued(key)).toSorted()).toEqual(reasonsOf(waiting).toSorted());
});

/** Answers the code by which each queued job of a tenant is explained. */
async function explainQueued(key: string): Promise<string[]> {
  const { data } = (await api.send('GET', '/v1/jobs?status=queued', { key })).json();
  const explained = data.map(async ({ id }: { id: string }) =>
    (await api.send('GET', `/v1/jobs/${id}/explain`, { key })).json(),
  );
  return (await Promise.all(explained)).map(({ reasons }) => reasons[0].code);
}

test('no list that a tenant can read changes with what another tenant does', async () => {
  const key = await keyOf(api.tenantId);
  const operator = await keyWith(api, ['operator']);
  const read = async () => {
    const replies = await Promise.all(LISTS.map((path) => api.send('GET', path, { key })));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual(LISTS.map(() => 200));
    return replies.map(({ body }) => body);
  };
  const before = await read();
  // Asked for after the lists, so that they are measured anew once this is.
  const queued = (await queuesFor(operator)).get('default')?.depth.queued ?? Number.NaN;
  await fillQueue(otherTenant);
  await waitUntil(async () => (await queuesFor(operator)).get('default')?.depth.queued === queued + 2, {
    until: 'the jobs of the other tenant are measured',
  });
  // Workers are shared by all, and the test has registered two more to run jobs.
  const withoutWorkers = (body: string) => body.replaceAll(/"workers":\{[^}]*\}/g, '');
  expect((await read()).map(withoutWorkers)).toEqual(before.map(withoutWorkers));
});

const LISTS = [
  '/v1/jobs',
  '/v1/job-types',
  '/v1/queues',
  '/v1/queues/default',
  '/v1/dead-letters',
  '/v1/dead-letters/groups',
  '/v1/audit-log',
];

test('the scope of the operator opens the queues, and no job', async () => {
  const key = await keyWith(api, ['operator']);
  expect((await api.send('GET', '/v1/queues/default', { key })).statusCode).toBe(200);
  expect((await api.send('GET', '/v1/jobs', { key })).statusCode).toBe(403);
  expect((await api.send('GET', '/metrics', { key })).statusCode).toBe(403);
});
