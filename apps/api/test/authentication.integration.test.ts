import { generateApiKey } from '@accepted/shared/database/api-keys';
import type { Database } from '@accepted/shared/database/connect';
import {
  ensureBootstrap,
  generateWebhookSecret,
  sealStoredSecrets,
  webhookSecrets,
} from '@accepted/shared/database/tenants';
import { createSecretBox, generateSecretKey, parseSecretKeys } from '@accepted/shared/secrets/secret-box';
import { secretBox, secretsKey } from '@accepted/testing/secrets-key';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
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
    expect((await own.send('DELETE', `/v1/api-keys/${theirs.id}`)).statusCode).toBe(404);
  });
});

describe('requests about API keys that are refused', () => {
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

describe('ensureBootstrap', () => {
  test('it may run any number of times at once', async () => {
    const apiKey = generateApiKey().text;
    const results = await Promise.all(
      Array.from({ length: 8 }, () => ensureBootstrap(api.db, secretBox, { apiKey })),
    );
    expect(new Set(results.map(({ tenantId }) => tenantId))).toEqual(new Set([api.tenantId]));
    expect((await api.send('GET', '/v1/api-keys', { key: apiKey })).statusCode).toBe(200);
  });

  test('an id that is taken with another secret is refused', async () => {
    const { text } = generateApiKey();
    await ensureBootstrap(api.db, secretBox, { apiKey: text });
    const changed = text.replace(/[0-9a-f]{64}$/, '0'.repeat(64));
    await expect(ensureBootstrap(api.db, secretBox, { apiKey: changed })).rejects.toThrow('another secret');
    await expect(ensureBootstrap(api.db, secretBox, { apiKey: 'acc_x' })).rejects.toThrow('not of the form');
  });

  test('a webhook secret that was made up stays, and one that the operator gives takes its place', async () => {
    const readSecret = async () => (await webhookSecrets(api.db, secretBox, api.tenantId))[0] ?? '';
    const madeUp = await readSecret();
    expect(Buffer.from(madeUp.replace(/^whsec_/, ''), 'base64')).toHaveLength(32);

    await ensureBootstrap(api.db, secretBox, { apiKey: generateApiKey().text });
    expect(await readSecret()).toBe(madeUp);

    const given = generateWebhookSecret();
    await ensureBootstrap(api.db, secretBox, { apiKey: generateApiKey().text, webhookSecret: given });
    expect(await readSecret()).toBe(given);
  });

  describe('a webhook secret that another one replaces', () => {
    const [a, b, c] = [0, 1, 2].map(generateWebhookSecret) as [string, string, string];
    const start = (db: Database, webhookSecret: string) =>
      ensureBootstrap(db, secretBox, { apiKey: api.key, webhookSecret });
    const secretsOf = async (db: Database) => {
      const { id } = await db.selectFrom('tenants').select('id').executeTakeFirstOrThrow();
      return webhookSecrets(db, secretBox, id);
    };

    test('signs beside the new one, however many processes start with that, and whichever came before', async () => {
      await using database = await createTestDatabase();
      const { db } = database;
      await start(db, a);
      expect(await secretsOf(db)).toEqual([a]);
      await Promise.all(Array.from({ length: 8 }, () => start(db, b)));
      await start(db, b);
      expect(await secretsOf(db)).toEqual([b, a]);
      await start(db, c);
      expect(await secretsOf(db)).toEqual([c, b, a]);
      await start(db, a);
      expect(await secretsOf(db)).toEqual([a, c, b]);
    });

    test('stops 24 hours later by the clock of Postgres, and is forgotten', async () => {
      await using database = await createTestDatabase();
      const { db } = database;
      await start(db, a);
      await start(db, b);
      await passTime(db, '23 hours 59 minutes');
      expect(await secretsOf(db)).toEqual([b, a]);
      await passTime(db, '2 minutes');
      expect(await secretsOf(db)).toEqual([b]);
      await start(db, b);
      const rows = await db.selectFrom('tenants').select('retired_webhook_secrets').execute();
      expect(rows).toEqual([{ retired_webhook_secrets: [] }]);
    });

    test('is sealed, and sealed anew with a newer key', async () => {
      await using database = await createTestDatabase();
      const { db } = database;
      await start(db, a);
      await start(db, b);
      const [row] = await db.selectFrom('tenants').selectAll().execute();
      expect(JSON.stringify(row)).not.toContain('whsec_');
      const [newer, older] = [parseSecretKeys(generateSecretKey()) ?? [], parseSecretKeys(secretsKey) ?? []];
      await sealStoredSecrets(db, createSecretBox([...newer, ...older]));
      expect(await webhookSecrets(db, createSecretBox(newer), row?.id ?? '')).toEqual([b, a]);
    });

    test('that no key opens is given up, as whoever lost the key can only start anew', async () => {
      await using database = await createTestDatabase();
      const { db } = database;
      await start(db, a);
      const newBox = createSecretBox(parseSecretKeys(generateSecretKey()) ?? []);
      const { tenantId } = await ensureBootstrap(db, newBox, { apiKey: api.key, webhookSecret: b });
      expect(await webhookSecrets(db, newBox, tenantId)).toEqual([b]);
    });

    /** Makes the retired secrets older. */
    async function passTime(db: Database, interval: string): Promise<void> {
      await sql`
        UPDATE tenants SET retired_webhook_secrets = (
          SELECT jsonb_agg(jsonb_set(retired, '{signsUntil}',
            to_jsonb((retired ->> 'signsUntil')::timestamptz - ${interval}::interval)))
          FROM jsonb_array_elements(retired_webhook_secrets) AS retired)`.execute(db);
    }
  });
});

describe('secrets in the ledger', () => {
  const stored = async () => {
    const row = api.db.selectFrom('tenants').select('webhook_secret').where('id', '=', api.tenantId);
    return (await row.executeTakeFirstOrThrow()).webhook_secret;
  };
  const store = async (text: string) => {
    await api.db
      .updateTable('tenants')
      .set({ webhook_secret: text })
      .where('id', '=', api.tenantId)
      .execute();
  };
  const otherKey = parseSecretKeys(generateSecretKey()) ?? [];

  test('are sealed, and one that an older version stored in the clear is sealed at the next start', async () => {
    const secret = generateWebhookSecret();
    await ensureBootstrap(api.db, secretBox, { apiKey: api.key, webhookSecret: secret });
    expect(await stored()).toMatch(/^sealed\.v1\./);

    await store(secret);
    await Promise.all(Array.from({ length: 4 }, () => sealStoredSecrets(api.db, secretBox)));
    expect(await stored()).toMatch(/^sealed\.v1\./);
    expect((await webhookSecrets(api.db, secretBox, api.tenantId))[0]).toBe(secret);
  });

  test('are sealed anew with the newest key, and then the old one can go', async () => {
    const secrets = await webhookSecrets(api.db, secretBox, api.tenantId);
    const oldKey = parseSecretKeys(secretsKey) ?? [];
    await sealStoredSecrets(api.db, createSecretBox([...otherKey, ...oldKey]));
    expect(await webhookSecrets(api.db, createSecretBox(otherKey), api.tenantId)).toEqual(secrets);
    await sealStoredSecrets(api.db, createSecretBox([...oldKey, ...otherKey]));
    expect(await webhookSecrets(api.db, secretBox, api.tenantId)).toEqual(secrets);
  });

  test('stay closed to a wrong key, which is told and changes nothing', async () => {
    const before = await stored();
    const wrong = createSecretBox(otherKey);
    await expect(sealStoredSecrets(api.db, wrong)).rejects.toThrow('which SECRETS_KEY does not have');
    await expect(webhookSecrets(api.db, wrong, api.tenantId)).rejects.toThrow('SECRETS_KEY');
    expect(await stored()).toBe(before);
  });

  test('do not open in the row of another tenant', async () => {
    const before = await stored();
    await store(secretBox.seal('whsec_of another tenant', 'tenants.webhook_secret another'));
    await expect(webhookSecrets(api.db, secretBox, api.tenantId)).rejects.toThrow('moved to another row');
    await store(before);
  });
});
