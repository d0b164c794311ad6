import {
  createSecretBox,
  generateSecretKey,
  parseSecretKeys,
} from '@accepted/shared/core/secrets/secret-box';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { generateApiKey, parseApiKey, SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import {
  ensureBootstrap,
  generateWebhookSecret,
  sealStoredSecrets,
  webhookSecrets,
} from '@accepted/shared/ledger/tenants/tenants';
import { secretBox, secretsKey } from '@accepted/testing/secrets-key';
import { createTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

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

  test('a key from before there was a scope gets it, and no key of another tenant does', async () => {
    const apiKey = generateApiKey().text;
    await ensureBootstrap(api.db, secretBox, { apiKey });
    const { id } = parseApiKey(apiKey) ?? {};
    const scopes = async () =>
      (
        await api.db
          .selectFrom('api_keys')
          .select('scopes')
          .where('id', '=', id ?? '')
          .execute()
      )[0]?.scopes;
    const set = (values: object) =>
      api.db
        .updateTable('api_keys')
        .set(values)
        .where('id', '=', id ?? '')
        .execute();

    await set({ scopes: ['jobs:read', 'of another version'] });
    await ensureBootstrap(api.db, secretBox, { apiKey });
    expect((await scopes())?.sort()).toEqual([...SCOPES, 'of another version'].sort());

    await createOtherTenant(api.db);
    const other = await api.db.selectFrom('tenants').select('id').where('name', '=', 'other').execute();
    await set({ scopes: ['jobs:read'], tenant_id: other[0]?.id });
    await ensureBootstrap(api.db, secretBox, { apiKey });
    expect(await scopes()).toEqual(['jobs:read']);
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
