import { parsePublicId } from '@accepted/shared/core/job/id';
import { TENANT_SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { webhookSecrets } from '@accepted/shared/ledger/tenants/tenants';
import { secretBox } from '@accepted/testing/secrets-key';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const createTenant = (body: object, headers = {}) => api.send('POST', '/v1/tenants', { body, headers });
const createKey = (body: object, key?: string) =>
  api.send('POST', '/v1/api-keys', { body, ...(key && { key }) });

/** Makes a tenant and a key that may do everything within it. */
async function makeTenant(name: string): Promise<{ id: string; key: string; keyId: string }> {
  const { id: tenantId } = (await createTenant({ name })).json();
  const made = await createKey({ name: 'first', scopes: [...TENANT_SCOPES], tenantId });
  expect(made.json()).toMatchObject({ tenantId });
  return { id: tenantId, key: made.json().key, keyId: made.json().id };
}

describe('a tenant that an operator makes', () => {
  test('is shown with its secret once, is listed, and signs its webhooks with that', async () => {
    const rates = { ratePerSecond: 0.1, burst: 4, dailyQuota: 9 };
    const made = await createTenant({ name: 'acme', weight: 2, concurrency: 5, maxBacklog: 70, ...rates });
    const { webhookSecret, ...shown } = made.json();
    expect([made.statusCode, made.headers.location, made.headers['cache-control']]).toEqual([
      201,
      `/v1/tenants/${shown.id}`,
      'no-store',
    ]);
    expect(shown).toEqual({
      id: expect.stringMatching(/^ten_/),
      name: 'acme',
      weight: 2,
      concurrency: 5,
      maxBacklog: 70,
      ...rates,
      pausedAt: null,
      createdAt: expect.any(String),
    });
    expect((await api.send('GET', `/v1/tenants/${shown.id}`)).json()).toEqual(shown);
    expect((await api.send('GET', '/v1/tenants')).json().data).toContainEqual(shown);
    const id = parsePublicId('tenant', shown.id) ?? '';
    expect(await webhookSecrets(api.db, secretBox, id)).toEqual([webhookSecret]);
  });

  test('has keys that see its own things alone, and its own log tells who made what', async () => {
    const { id, key } = await makeTenant('isolated');
    const job = await api.send('POST', '/v1/jobs', { key, body: { type: 'test.echo', payload: {} } });
    expect(job.statusCode).toBe(202);
    expect((await api.send('GET', `/v1/jobs/${job.json().id}`)).statusCode).toBe(404);
    const entries = (await api.send('GET', '/v1/audit-log', { key })).json().data;
    expect(
      entries.map((entry: { action: string; tenantId: string }) => [entry.action, entry.tenantId]),
    ).toEqual([
      ['api_key.created', id],
      ['tenant.create', id],
    ]);
  });

  test('is made once for its Idempotency-Key, and only the API key that asked is told the secret again', async () => {
    const headers = { 'idempotency-key': 'tenant' };
    const first = await createTenant({ name: 'once' }, headers);
    const again = await createTenant({ name: 'once' }, headers);
    expect([again.statusCode, again.json()]).toEqual([201, first.json()]);
    const { key } = (await createKey({ name: 'operator', scopes: ['operator'] })).json();
    const other = await api.send('POST', '/v1/tenants', { key, headers, body: { name: 'once' } });
    expect([other.statusCode, other.json().code]).toEqual([422, 'idempotency_key_reused']);
  });

  test.each([
    [{}, ['/name']],
    [{ name: '' }, ['/name']],
    [{ name: '  ' }, ['/name']],
    [{ name: 'x'.repeat(201) }, ['/name']],
    [{ name: 'x\u0000' }, ['/name']],
    [{ name: 'x', weight: 0, concurrency: 0, more: 1 }, ['/concurrency', '/more', '/weight']],
    [{ name: 'x', weight: 1e9 }, ['/weight']],
  ])('%j is 422 and makes none', async (body, pointers) => {
    const before = (await api.send('GET', '/v1/tenants?limit=100')).json().data.length;
    const reply = await createTenant(body);
    expect(reply.statusCode).toBe(422);
    const found = reply.json().errors.map((fault: { pointer: string }) => fault.pointer);
    expect(found.toSorted()).toEqual(pointers);
    expect((await api.send('GET', '/v1/tenants?limit=100')).json().data).toHaveLength(before);
  });

  test('needs a name of its own, also of two who ask at once', async () => {
    expect((await createTenant({ name: 'default' })).json()).toMatchObject({
      status: 409,
      code: 'tenant_name_taken',
    });
    const both = await Promise.all([createTenant({ name: 'twin' }), createTenant({ name: 'twin' })]);
    expect(both.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 409]);
  });

  test('is listed in pages, the newest first', async () => {
    for (const name of ['page one', 'page two']) await createTenant({ name });
    const first = (await api.send('GET', '/v1/tenants?limit=2')).json();
    const names = (page: { data: { name: string }[] }) => page.data.map(({ name }) => name);
    expect(names(first)).toEqual(['page two', 'page one']);
    const rest = (await api.send('GET', `/v1/tenants?limit=100&cursor=${first.nextCursor}`)).json();
    expect(names(rest)).toContain('default');
    expect(names(rest)).not.toContain('page one');
  });
});

describe('keys of another tenant', () => {
  test('are made, listed and revoked by operators', async () => {
    const { id, key, keyId } = await makeTenant('managed');
    const second = (await createKey({ name: 'second', scopes: ['admin'], tenantId: id })).json();
    const listed = (await api.send('GET', `/v1/api-keys?tenantId=${id}`)).json().data;
    expect(listed.map((one: { id: string }) => one.id)).toEqual([second.id, keyId]);
    const revoked = await api.send('DELETE', `/v1/api-keys/${keyId}`);
    expect([revoked.statusCode, revoked.json().tenantId]).toEqual([200, id]);
    expect((await api.send('GET', '/v1/jobs', { key })).statusCode).toBe(401);
    const entries = (await api.send('GET', `/v1/audit-log?tenantId=${id}`)).json().data;
    expect(entries[0]).toMatchObject({ action: 'api_key.revoked', target: keyId, tenantId: id });
  });

  test('are not for an admin: it is told nothing, whether the tenant is there or not', async () => {
    const { id } = await makeTenant('closed');
    const { key } = (await createKey({ name: 'admin', scopes: ['admin', 'jobs:read'] })).json();
    for (const tenantId of [id, 'ten_01m80wvd14etfbnycmvzp2r688', 'nope'])
      for (const reply of [
        await createKey({ name: 'x', scopes: ['admin'], tenantId }, key),
        await api.send('GET', `/v1/api-keys?tenantId=${tenantId}`, { key }),
        await api.send('GET', `/v1/audit-log?tenantId=${tenantId}`, { key }),
      ])
        expect([reply.statusCode, reply.json().requiredScope]).toEqual([403, 'operator']);
    const own = (await api.send('GET', '/v1/api-keys', { key })).json().data[0].tenantId;
    expect((await createKey({ name: 'own', scopes: ['admin'], tenantId: own }, key)).statusCode).toBe(201);
  });

  test('of a tenant that is not there are none', async () => {
    for (const tenantId of ['ten_01m80wvd14etfbnycmvzp2r688', 'nope']) {
      const reply = await createKey({ name: 'x', scopes: ['admin'], tenantId });
      expect([reply.statusCode, reply.json().errors]).toEqual([
        422,
        [{ pointer: '/tenantId', detail: 'There is no such tenant.' }],
      ]);
    }
    expect((await api.send('GET', '/v1/api-keys?tenantId=nope')).json()).toMatchObject({
      status: 400,
      errors: [{ pointer: '/query/tenantId' }],
    });
  });

  test('get only scopes that the operator has itself', async () => {
    const { id } = await makeTenant('bounded');
    const { key } = (await createKey({ name: 'o', scopes: ['operator', 'jobs:read'] })).json();
    const beyond = await createKey({ name: 'x', scopes: ['jobs:write'], tenantId: id }, key);
    expect([beyond.statusCode, beyond.json().requiredScope]).toEqual([403, 'jobs:write']);
    const made = await createKey({ name: 'x', scopes: ['jobs:read'], tenantId: id }, key);
    expect((await api.send('GET', '/v1/jobs', { key: made.json().key })).statusCode).toBe(200);
  });
});

test('the log of the whole installation is for operators', async () => {
  await api.send('POST', '/v1/queues/strict/pause', { body: { reason: 'for the log' } });
  const { data } = (await api.send('GET', '/v1/audit-log?limit=100')).json();
  expect(data[0]).toMatchObject({ action: 'queue.pause', target: 'strict', tenantId: null });
  expect(new Set(data.map((entry: { tenantId: string }) => entry.tenantId)).size).toBeGreaterThan(2);
  const { key } = (await createKey({ name: 'admin', scopes: ['admin'] })).json();
  const own = (await api.send('GET', '/v1/audit-log?limit=100', { key })).json().data;
  expect(new Set(own.map((entry: { tenantId: string }) => entry.tenantId)).size).toBe(1);
});
