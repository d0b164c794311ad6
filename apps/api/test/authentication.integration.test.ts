import type { Database } from '@accepted/shared/ledger/connection/connect';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  // For as long as a slow machine needs to look at what is looked up.
  api = await startApi({}, undefined, { databaseBudgetMs: 30_000 });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const VALID = { type: 'test.echo', payload: {} };
const create = async (body: object, key?: string) =>
  await api.send('POST', '/v1/api-keys', { body, ...(key && { key }) });

describe('401 unauthenticated', () => {
  const { text } = generateApiKey();

  test.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic dTpw' }],
    ['no token', { authorization: 'Bearer' }],
    ['nonsense', { authorization: 'Bearer nonsense' }],
    ['an unknown key', { authorization: `Bearer ${text}` }],
    ['U+0000', { authorization: 'Bearer acc_%00_x' }],
  ])('%s', async (_name, headers) => {
    const reply = await api.send('POST', '/v1/jobs', { key: null, headers, body: VALID });
    expect([reply.statusCode, reply.json().code]).toEqual([401, 'unauthenticated']);
    expect(reply.headers['www-authenticate']).toContain('Bearer realm="accepted"');
  });

  test('the right id with a wrong secret', async () => {
    const wrong = `${api.key.slice(0, -1)}${api.key.endsWith('0') ? '1' : '0'}`;
    const reply = await api.send('GET', '/v1/jobs', { key: wrong });
    expect([reply.statusCode, reply.json().code]).toEqual([401, 'unauthenticated']);
  });

  test('the body is not even read without a key', async () => {
    const reply = await api.send('POST', '/v1/jobs', {
      key: null,
      body: '{',
      headers: { 'content-type': 'text/plain' },
    });
    expect(reply.statusCode).toBe(401);
  });
});

describe('guessed API keys', () => {
  test('an unknown id is remembered, and for so short a time that a new key works soon', async () => {
    const { text, id, secretHash } = generateApiKey();
    const ask = async () => (await api.send('GET', '/v1/jobs', { key: text })).statusCode;
    expect(await ask()).toBe(401);
    await api.db
      .insertInto('api_keys')
      .values({
        id,
        tenant_id: api.tenantId,
        name: 'guessed',
        secret_hash: secretHash,
        scopes: ['jobs:read'],
        revoked_at: null,
      })
      .execute();
    expect(await ask()).toBe(401);
    await waitUntil(async () => (await ask()) === 200, { until: 'the key works', timeoutMs: 3_000 });
  });

  test('are looked up two at a time, and the addresses that they come from take turns with others', async () => {
    const fresh = (await create({ name: 'fresh', scopes: ['webhooks'] })).json().key;
    const answered: string[] = [];
    const ask = async (remoteAddress: string, key: string) => {
      const headers = { authorization: `Bearer ${key}` };
      const { statusCode } = await api.app.inject({ url: '/v1/jobs', headers, remoteAddress });
      answered.push(`${remoteAddress} ${statusCode}`);
    };
    const { asked, underWay } = await api.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE`.execute(tx);
      const guesses = Array.from({ length: 50 }, () => ask('203.0.113.1', generateApiKey().text));
      const all = [...guesses, ask('203.0.113.2', fresh)];
      await waitUntil(async () => (await countWaiting(api.db)) >= 2, { until: 'keys are looked up' });
      return { asked: all, underWay: await countWaiting(api.db) };
    });
    await Promise.all(asked);
    expect(underWay).toBe(2);
    expect(answered).toHaveLength(51);
    // It was found, and has not the scope.
    expect(answered.slice(0, 10)).toContain('203.0.113.2 403');
  });

  async function countWaiting(db: Database): Promise<number> {
    const { rows } = await sql<{ n: number }>`
      SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
    return rows[0]?.n ?? 0;
  }
});

describe('API keys', () => {
  test('a key is shown once, works within its scopes, and is dead once revoked', async () => {
    const created = await create({ name: 'reader', scopes: ['jobs:read'] });
    expect(created.statusCode).toBe(201);
    const { id, key } = created.json();
    expect(key).toMatch(/^acc_[0-9a-z]{26}_[0-9a-f]{64}$/);
    expect(created.headers['cache-control']).toBe('no-store');

    expect((await api.send('GET', '/v1/jobs', { key })).statusCode).toBe(200);
    const refused = await api.send('POST', '/v1/jobs', { key, body: VALID });
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'missing_scope', requiredScope: 'jobs:write' });
    expect(refused.headers['www-authenticate']).toContain('scope="jobs:write"');

    const revoked = await api.send('DELETE', `/v1/api-keys/${id}`);
    expect([revoked.statusCode, revoked.json().revokedAt]).toEqual([200, expect.any(String)]);
    const again = await api.send('DELETE', `/v1/api-keys/${id}`);
    expect(again.json()).toEqual(revoked.json());
    expect((await api.send('GET', '/v1/jobs', { key })).statusCode).toBe(401);
  });

  test('the list has every key and no secret, in pages', async () => {
    for (const name of ['one', 'two']) await create({ name, scopes: ['webhooks'] });
    const first = await api.send('GET', '/v1/api-keys?limit=2');
    expect(first.json().data.map((key: { name: string }) => key.name)).toEqual(['two', 'one']);
    expect(first.body).not.toMatch(/acc_|secret|hash/i);
    const next = await api.send('GET', `/v1/api-keys?limit=50&cursor=${first.json().nextCursor}`);
    expect(next.json().data.map((key: { name: string }) => key.name)).toContain('bootstrap');
  });

  test('only a hash of the secret is stored, and the audit log tells who did what', async () => {
    const { key, id } = (await create({ name: 'hashed', scopes: ['jobs:read'] })).json();
    const rows = await api.db.selectFrom('api_keys').selectAll().where('name', '=', 'hashed').execute();
    expect(JSON.stringify(rows)).not.toContain(key.split('_')[2]);
    expect(rows[0]?.secret_hash).toHaveLength(32);
    await api.send('DELETE', `/v1/api-keys/${id}`);
    const audit = await api.db
      .selectFrom('audit_log')
      .selectAll()
      .where('target', '=', id)
      .orderBy('id')
      .execute();
    expect(audit.map(({ action, actor }) => [action, actor.slice(0, 4)])).toEqual([
      ['api_key.created', 'key_'],
      ['api_key.revoked', 'key_'],
    ]);
  });
});

describe('the last key with the scope admin', () => {
  test('is not revoked, neither by itself nor by another, and another one sets it free', async () => {
    await using own = await startApi();
    const make = async (scopes: string[]) =>
      (await own.send('POST', '/v1/api-keys', { body: { name: 'k', scopes } })).json();
    const [first] = (await own.send('GET', '/v1/api-keys')).json().data;
    await make(['jobs:read', 'jobs:write']);

    const refused = await own.send('DELETE', `/v1/api-keys/${first.id}`);
    expect([refused.statusCode, refused.json().code]).toEqual([409, 'last_admin_key']);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect((await own.send('GET', '/v1/api-keys')).json().data.at(-1)).toMatchObject({ revokedAt: null });

    const second = await make(['admin']);
    expect((await own.send('DELETE', `/v1/api-keys/${first.id}`)).statusCode).toBe(200);
    const again = await own.send('DELETE', `/v1/api-keys/${first.id}`, { key: second.key });
    expect([again.statusCode, again.json().revokedAt]).toEqual([200, expect.any(String)]);
    const last = await own.send('DELETE', `/v1/api-keys/${second.id}`, { key: second.key });
    expect([last.statusCode, last.json().code]).toEqual([409, 'last_admin_key']);
  });

  test('is left when the last two are revoked at the same moment', async () => {
    await using own = await startApi();
    await own.send('POST', '/v1/api-keys', { body: { name: 'k', scopes: ['admin'] } });
    const { data } = (await own.send('GET', '/v1/api-keys')).json();
    expect(data).toHaveLength(2);
    const revoke = ({ id }: { id: string }) => own.send('DELETE', `/v1/api-keys/${id}`);
    const waiting = async () => {
      const { rows } = await sql<{ n: number }>`
        SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(own.db);
      return rows[0]?.n === 2;
    };

    const replies = await own.db.transaction().execute(async (tx) => {
      await tx.selectFrom('api_keys').select('id').forUpdate().execute();
      const both = data.map(revoke);
      await waitUntil(waiting, { until: 'both wait for the rows' });
      return both;
    });
    const statuses = (await Promise.all(replies)).map(({ statusCode }) => statusCode);
    expect(statuses.sort()).toEqual([200, 409]);
    expect(
      (await own.db.selectFrom('api_keys').selectAll().execute()).filter((row) => !row.revoked_at),
    ).toHaveLength(1);
  });

  test("is told apart from other tenants' keys", async () => {
    await using own = await startApi();
    const other = await createOtherTenant(own.db);
    const [first] = (await own.send('GET', '/v1/api-keys')).json().data;
    expect((await own.send('DELETE', `/v1/api-keys/${first.id}`)).statusCode).toBe(409);
    const [theirs] = (await own.send('GET', '/v1/api-keys', { key: other })).json().data;
    const body = { name: 'no operator', scopes: ['admin'] };
    const { key } = (await own.send('POST', '/v1/api-keys', { body })).json();
    expect((await own.send('DELETE', `/v1/api-keys/${theirs.id}`, { key })).statusCode).toBe(404);
    expect((await own.send('DELETE', `/v1/api-keys/${theirs.id}`)).statusCode).toBe(409);
  });
});

describe('requests about API keys that are refused', () => {
  test('a scope that the key itself lacks is 403, and makes no key', async () => {
    const { key } = (await create({ name: 'keeper', scopes: ['admin', 'jobs:read'] })).json();
    const body = { name: 'beyond', scopes: ['jobs:read', 'dead-letters'] };
    const reply = await api.send('POST', '/v1/api-keys', { body, key });
    expect([reply.statusCode, reply.json().code]).toEqual([403, 'missing_scope']);
    expect(reply.json()).toMatchObject({ requiredScope: 'dead-letters' });
    expect(reply.headers['www-authenticate']).toContain('scope="dead-letters"');
    const names = await api.db.selectFrom('api_keys').select('name').where('name', '=', 'beyond').execute();
    expect(names).toEqual([]);
  });

  test.each([
    [{}, ['/name', '/scopes']],
    [{ name: '', scopes: [] }, ['/name', '/scopes']],
    [{ name: 'x', scopes: ['root'] }, ['/scopes/0']],
    [{ name: 'x\u0000', scopes: ['admin'], more: 1 }, ['/name', '/more']],
  ])('%j is 422', async (body, pointers) => {
    const reply = await create(body);
    expect(reply.statusCode).toBe(422);
    expect(
      reply
        .json()
        .errors.map((fault: { pointer: string }) => fault.pointer)
        .sort(),
    ).toEqual(pointers.sort());
  });

  test("another tenant's key is 404, and stays in force", async () => {
    const other = await createOtherTenant(api.db);
    const { id, key } = (await create({ name: 'ours', scopes: ['jobs:read'] })).json();
    const reply = await api.send('DELETE', `/v1/api-keys/${id}`, { key: other });
    expect([reply.statusCode, reply.json().code]).toEqual([404, 'api_key_not_found']);
    expect((await api.send('DELETE', '/v1/api-keys/nonsense')).statusCode).toBe(404);
    expect((await api.send('GET', '/v1/jobs', { key })).statusCode).toBe(200);
  });

  test('scope admin is needed', async () => {
    const { key } = (await create({ name: 'writer', scopes: ['jobs:write', 'jobs:read'] })).json();
    expect((await create({ name: 'x', scopes: ['admin'] }, key)).statusCode).toBe(403);
    expect((await api.send('GET', '/v1/api-keys', { key })).statusCode).toBe(403);
  });
});
