import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
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
  { apiKey, webhookSecret }: { apiKey: string; webhookSecret?: string | undefined },
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

/** A secret that is given replaces the one that is there; one made up here must not. */
async function ensureTenant(db: Database, webhookSecret: string | undefined): Promise<string> {
  const row = await db
    .insertInto('tenants')
    .values({ id: newUuid(), name: DEFAULT_TENANT, webhook_secret: webhookSecret ?? generateWebhookSecret() })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        webhook_secret: webhookSecret ?? sql.ref<string>('tenants.webhook_secret'),
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Reads the secrets that sign a tenant's webhooks, the newest first; none when there is no such tenant. */
export async function webhookSecrets(db: Database, tenantId: string): Promise<string[]> {
  const rows = await db.selectFrom('tenants').select('webhook_secret').where('id', '=', tenantId).execute();
  return rows.map((row) => row.webhook_secret);
}
