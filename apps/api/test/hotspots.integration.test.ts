import { newUuid } from '@accepted/shared/core/job/id';
import { tellHotspots } from '@accepted/shared/ledger/limits/hotspots';
import { waitUntil } from '@accepted/testing/wait-until';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOtherTenant } from './api-under-test.ts';
import { keyWith } from './dead-letters-under-test.ts';
import { startTwoProcesses } from './two-processes.ts';

const rig = await startTwoProcesses();
const { api, other } = rig;
afterAll(() => rig[Symbol.asyncDispose]());

const TIMES = 30;
/** Each process tells every five seconds. */
const TOLD_WITHIN_MS = 15_000;

let [ownTenant, otherTenant, otherKey] = ['', '', ''];
beforeAll(async () => {
  otherKey = await createOtherTenant(api.db);
  const { data } = (await api.send('GET', '/v1/tenants')).json();
  const idOf = (wanted: string) => data.find(({ name }: { name: string }) => name === wanted).id;
  [ownTenant, otherTenant] = [idOf('default'), idOf('other')];
});

/** Submits jobs to one process; answers how many were refused. */
async function submit(app: FastifyInstance, key: string, request: object): Promise<number> {
  let refused = 0;
  for (let sent = 0; sent < TIMES; sent += 1) {
    const { statusCode } = await app.inject({
      ...{ method: 'POST', url: '/v1/jobs', payload: { type: 'test.echo', payload: {}, ...request } },
      headers: { authorization: `Bearer ${key}` },
    });
    if (statusCode !== 202) refused += 1;
  }
  return refused;
}

interface Hot {
  tenants: { tenantId: string; jobsPerSecond: number }[];
  concurrencyKeys: { tenantId: string; concurrencyKey: string; jobsPerSecond: number }[];
}

const hotspots = async (): Promise<Hot> => (await api.send('GET', '/v1/hotspots')).json();

test('tenants and keys that most comes for are named, by however many processes, and whether or not there was room', async () => {
  await rig.layDown(`tenants/${otherTenant}`, { ratePerSecond: 1 });
  expect(await submit(api.app, otherKey, {})).toBeGreaterThan(TIMES / 2);
  await submit(api.app, api.key, { concurrencyKey: 'account 7' });
  await submit(other, api.key, { concurrencyKey: 'account 7' });
  await submit(other, api.key, { concurrencyKey: 'account 8' });
  const { tenants, concurrencyKeys } = await waitUntil(
    async () => {
      const hot = await hotspots();
      const [first, second] = hot.tenants;
      // Both processes have told.
      return first && second && first.jobsPerSecond > 2 * second.jobsPerSecond ? hot : undefined;
    },
    { until: 'both have told', timeoutMs: TOLD_WITHIN_MS },
  );
  expect(tenants.map(({ tenantId }) => tenantId)).toEqual([ownTenant, otherTenant]);
  expect(concurrencyKeys).toMatchObject([
    { tenantId: ownTenant, concurrencyKey: 'account 7' },
    { tenantId: ownTenant, concurrencyKey: 'account 8' },
  ]);
  const { body } = await api.send('GET', '/metrics');
  expect(body).toMatch(new RegExp(`accepted_hot_tenant_jobs_per_second\\{tenant="${ownTenant}"\\} \\d`));
  expect(body).toMatch(
    new RegExp(`accepted_hot_key_jobs_per_second\\{tenant="${ownTenant}",concurrency_key="account 7"\\} \\d`),
  );
});

test('ten are named at most, what comes seldom is not, and what a process told long ago is forgotten', async () => {
  await sql`TRUNCATE hotspots`.execute(api.db);
  const many = Array.from({ length: 20 }, (_, n) => ({ tenantId: newUuid(), perSecond: 100 + n }));
  const seldom = { tenantId: newUuid(), concurrencyKey: 'k', perSecond: 0.4 };
  const gone = newUuid();
  await tellHotspots(api.db, gone, { tenants: many, keys: [seldom] });
  const told = await hotspots();
  expect(told.tenants.map(({ jobsPerSecond }) => jobsPerSecond)).toEqual(
    Array.from({ length: 10 }, (_, n) => 119 - n),
  );
  expect(told.concurrencyKeys.filter(({ concurrencyKey }) => concurrencyKey === 'k')).toEqual([]);
  await sql`UPDATE hotspots SET told_at = now() - interval '1 hour' WHERE process_id = ${gone}`.execute(
    api.db,
  );
  expect((await hotspots()).tenants.filter(({ jobsPerSecond }) => jobsPerSecond > 99)).toEqual([]);
  await tellHotspots(api.db, newUuid(), { tenants: [], keys: [] });
  const { rows } = await sql`SELECT FROM hotspots WHERE process_id = ${gone}`.execute(api.db);
  expect(rows).toEqual([]);
});

test('a process that comes back after long tells again in its own row', async () => {
  const process = newUuid();
  const tell = () => tellHotspots(api.db, process, { tenants: [], keys: [] });
  await tell();
  await sql`UPDATE hotspots SET told_at = now() - interval '1 hour'`.execute(api.db);
  await Promise.all([tell(), tellHotspots(api.db, newUuid(), { tenants: [], keys: [] })]);
  await tell();
  const { rows } = await sql`SELECT FROM hotspots WHERE process_id = ${process}`.execute(api.db);
  expect(rows).toHaveLength(1);
});

test('only operators may know', async () => {
  const key = await keyWith(api, ['jobs:read', 'metrics', 'admin']);
  expect((await api.send('GET', '/v1/hotspots', { key })).statusCode).toBe(403);
});
