import { waitUntil } from '@accepted/testing/wait-until';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createOtherTenant } from './api-under-test.ts';
import { startTwoProcesses, times } from './two-processes.ts';

const rig = await startTwoProcesses();
const { api, other, submit, statusesOf } = rig;
afterAll(() => rig[Symbol.asyncDispose]());

const UNLIMITED = { ratePerSecond: null, burst: null, dailyQuota: null };

beforeEach(async () => {
  await layDown({ ...UNLIMITED, maxBacklog: null });
  await sql`TRUNCATE token_buckets`.execute(api.db);
});

const layDown = async (rules: object) => rig.layDown(`tenants/${await rig.ownTenant()}`, rules);

test.each([20, 200])(
  'a tenant with a rate of %d has that, by however many processes',
  async (ratePerSecond) => {
    // The first request of a process waits for its connections, and would not wait for a loan.
    for (const app of [api.app, other]) await submit({ app });
    await layDown({ ratePerSecond });
    const seconds = 4;
    const beganMs = performance.now();
    const accepted: number[] = [];
    const sendOn = async (app: FastifyInstance) => {
      while (performance.now() - beganMs < seconds * 1_000)
        if ((await submit({ app })).statusCode === 202) accepted.push(performance.now() - beganMs);
    };
    await Promise.all([api.app, other].flatMap((app) => [sendOn(app), sendOn(app)]));
    // What is sent last is answered later than that.
    const lastedSeconds = Math.max(seconds, ...accepted.map((atMs) => atMs / 1_000));
    expect(accepted.length).toBeLessThanOrEqual(1.02 * ratePerSecond * (lastedSeconds + 1));
    expect(accepted.length).toBeGreaterThanOrEqual(0.9 * ratePerSecond * (seconds + 1));
  },
);

test('who comes faster is told so before anything else, when to come back, and what was broken', async () => {
  await layDown({ ratePerSecond: 2, burst: 3 });
  expect(await statusesOf(3)).toEqual(times(3, 202));
  const refused = await api.app.inject({
    ...{ method: 'POST', url: '/v1/jobs', payload: 'not JSON' },
    headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
  });
  expect(refused.statusCode).toBe(429);
  expect(refused.json()).toMatchObject({ code: 'rate_limited', violatedPolicies: ['tenant'] });
  expect(refused.headers).toMatchObject({
    'ratelimit-policy': '"tenant";q=3;w=2',
    ratelimit: '"tenant";r=0;t=2',
    'retry-after': expect.stringMatching(/^[1-5]$/),
  });
});

test('others are not, nor is what makes no job; who has no policy is told of none', async () => {
  const key = await createOtherTenant(api.db);
  await layDown({ ratePerSecond: 1 });
  await statusesOf(3);
  expect(await statusesOf(10, { key })).toEqual(times(10, 202));
  expect((await submit({ key })).headers).not.toHaveProperty('ratelimit');
  for (let asked = 0; asked < 10; asked += 1) {
    const list = await api.send('GET', '/v1/jobs?limit=1');
    expect([list.statusCode, list.headers['ratelimit-policy']]).toEqual([200, '"tenant";q=1;w=1']);
  }
});

test('a key may have a rate of its own, within that of its tenant', async () => {
  const made = await api.send('POST', '/v1/api-keys', {
    body: { name: 'slow', scopes: ['jobs:write'], ratePerSecond: 2 },
  });
  expect(made.json()).toMatchObject({ ratePerSecond: 2, burst: null });
  const { key } = made.json();
  await layDown({ ratePerSecond: 4, burst: 5 });
  expect(await statusesOf(3, { key })).toEqual([202, 202, 429]);
  const refused = await submit({ key });
  expect(refused.json()).toMatchObject({ code: 'rate_limited', violatedPolicies: ['key'] });
  expect(refused.headers['ratelimit-policy']).toBe('"key";q=2;w=1, "tenant";q=5;w=2');
  // What the key could not use is left to the others of its tenant.
  expect(await statusesOf(3)).toEqual(times(3, 202));
});

test('a tenant has so many jobs a day; what made none does not count', async () => {
  await layDown({ dailyQuota: 6 });
  const first = await submit({ headers: { 'idempotency-key': 'once' } });
  expect(first.headers.ratelimit).toMatch(/^"daily";r=5;t=\d+$/);
  expect(first.headers['ratelimit-policy']).toBe('"daily";q=6;w=86400');
  for (const app of [api.app, other]) {
    const again = await submit({ app, headers: { 'idempotency-key': 'once' } });
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([202, 'true']);
  }
  const malformed = await api.send('POST', '/v1/jobs', { body: { type: 'test.echo' } });
  expect(malformed.statusCode).toBe(422);
  expect(await statusesOf(8)).toEqual([...times(5, 202), ...times(3, 429)]);
  const refused = await submit({ app: other });
  expect(refused.json()).toMatchObject({ code: 'quota_exceeded', violatedPolicies: ['daily'] });
  const seconds = 86_400 - (Math.floor(Date.now() / 1_000) % 86_400);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(seconds - 2);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(seconds + 60);
  const replayed = await submit({ app: other, headers: { 'idempotency-key': 'once' } });
  expect(replayed.statusCode).toBe(202);
  await layDown({ dailyQuota: 8 });
  expect(await statusesOf(3)).toEqual([202, 202, 429]);
});

test('what a full queue refuses is not taken off the quota', async () => {
  await layDown({ dailyQuota: 4, maxBacklog: 0 });
  expect(await statusesOf(5)).toEqual(times(5, 429));
  await layDown({ maxBacklog: null });
  expect(await statusesOf(5)).toEqual([...times(4, 202), 429]);
});

test('without the store each process goes by itself, and nobody waits', async () => {
  await layDown({ ratePerSecond: 50, burst: 10 });
  await sql`ALTER TABLE token_buckets RENAME TO token_buckets_away`.execute(api.db);
  try {
    const beganMs = performance.now();
    const statuses = await statusesOf(40);
    const tookMs = performance.now() - beganMs;
    const accepted = statuses.filter((status) => status === 202).length;
    expect(accepted).toBeGreaterThanOrEqual(10);
    expect(accepted).toBeLessThanOrEqual(12 + (50 * tookMs) / 1_000);
    expect(statuses.filter((status) => status !== 202 && status !== 429)).toEqual([]);
  } finally {
    await sql`ALTER TABLE token_buckets_away RENAME TO token_buckets`.execute(api.db);
  }
});

test('tenants are made with rates, and limits that make no sense are refused', async () => {
  const made = await api.send('POST', '/v1/tenants', {
    body: { name: 'rated', ratePerSecond: 0.5, burst: 7, dailyQuota: 100 },
  });
  expect(made.json()).toMatchObject({ ratePerSecond: 0.5, burst: 7, dailyQuota: 100 });
  const refused = await api.send('PATCH', `/v1/tenants/${made.json().id}`, {
    body: { ratePerSecond: 0, burst: 0.5, dailyQuota: -1 },
  });
  expect(refused.statusCode).toBe(422);
  const pointers = refused.json().errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(new Set(pointers)).toEqual(new Set(['/ratePerSecond', '/burst', '/dailyQuota']));
});

test('admissions and refusals are counted by code and policy', async () => {
  await layDown({ ratePerSecond: 1 });
  await statusesOf(3);
  const readMetrics = async () => (await api.send('GET', '/metrics')).body;
  const refused = /accepted_requests_refused_total\{code="rate_limited",policy="tenant"\} \d+/;
  await waitUntil(async () => refused.test(await readMetrics()), {
    until: 'refusals are counted',
    timeoutMs: 15_000,
  });
  expect(await readMetrics()).toMatch(/accepted_jobs_admitted_total\{queue="default"\} \d+/);
});
