import { randomBytes } from 'node:crypto';
import { newUuid } from '../job/id.ts';
import { hashSecret, parseApiKey, SCOPES } from './api-keys.ts';
import type { Database } from './connect.ts';

const DEFAULT_TENANT = 'default';

/** Makes a secret that signs webhooks (Standard Webhooks 1.0.0): `whsec_` and the base64 of 32 random bytes. */
export function generateWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * Makes sure that the tenant `default` exists and, with all scopes, the API key `acc_<keyId>_<secret>`.
 *
 * Any number of processes may do so at once and again. A key that was revoked stays revoked. Throws when the text is
 * no API key, or when its id is taken by a key with another secret: an old key must not come to life by accident.
 */
export async function ensureBootstrap(
  db: Database,
  { apiKey, webhookSecret = generateWebhookSecret() }: { apiKey: string; webhookSecret?: string },
): Promise<{ tenantId: string }> {
  const parsed = parseApiKey(apiKey);
  if (!parsed)
    throw new Error('The bootstrap API key is not of the form acc_<26 characters>_<64 hex digits>.');
  const tenantId = await ensureTenant(db, webhookSecret);
  const secretHash = hashSecret(parsed.secret);
  await db
    .insertInto('api_keys')
    .values({
      id: parsed.id,
      tenant_id: tenantId,
      name: 'bootstrap',
      secret_hash: secretHash,
      scopes: [...SCOPES],
      revoked_at: null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const stored = db.selectFrom('api_keys').select('secret_hash').where('id', '=', parsed.id);
  const row = await stored.executeTakeFirstOrThrow();
  if (!row.secret_hash.equals(secretHash)) {
    throw new Error('The bootstrap API key has the id of an existing key, but another secret.');
  }
  return { tenantId };
}

async function ensureTenant(db: Database, webhookSecret: string): Promise<string> {
  await db
    .insertInto('tenants')
    .values({ id: newUuid(), name: DEFAULT_TENANT, webhook_secret: webhookSecret })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const tenant = db.selectFrom('tenants').select('id').where('name', '=', DEFAULT_TENANT);
  return (await tenant.executeTakeFirstOrThrow()).id;
}
