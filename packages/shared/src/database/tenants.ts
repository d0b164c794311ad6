import { randomBytes } from 'node:crypto';
import { newUuid } from '../job/id.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { hashSecret, parseApiKey, SCOPES } from './api-keys.ts';
import type { Database } from './connect.ts';

const DEFAULT_TENANT = 'default';

/** Makes a secret that signs webhooks (Standard Webhooks 1.0.0): `whsec_` and the base64 of 32 random bytes. */
export function generateWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * Makes sure that the tenant `default` exists and, with all scopes, the API key `acc_<keyId>_<secret>`, and that every
 * stored secret is sealed.
 *
 * Any number of processes may do so at once and again. A key that was revoked stays revoked. Throws when the text is
 * no API key, or when its id is taken by a key with another secret: an old key must not come to life by accident.
 */
export async function ensureBootstrap(
  db: Database,
  secretBox: SecretBox,
  { apiKey, webhookSecret }: { apiKey: string; webhookSecret?: string | undefined },
): Promise<{ tenantId: string }> {
  const parsed = parseApiKey(apiKey);
  if (!parsed)
    throw new Error('The bootstrap API key is not of the form acc_<26 characters>_<64 hex digits>.');
  const tenantId = await ensureTenant(db, secretBox, webhookSecret);
  await sealStoredSecrets(db, secretBox);
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
async function ensureTenant(
  db: Database,
  secretBox: SecretBox,
  webhookSecret: string | undefined,
): Promise<string> {
  const id = newUuid();
  const seal = (tenantId: string) =>
    secretBox.seal(webhookSecret ?? generateWebhookSecret(), placeOfSecret(tenantId));
  await db
    .insertInto('tenants')
    .values({ id, name: DEFAULT_TENANT, webhook_secret: seal(id) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const named = db.selectFrom('tenants').select('id').where('name', '=', DEFAULT_TENANT);
  const tenant = await named.executeTakeFirstOrThrow();
  if (webhookSecret !== undefined && tenant.id !== id) {
    const values = { webhook_secret: seal(tenant.id) };
    await db.updateTable('tenants').set(values).where('id', '=', tenant.id).execute();
  }
  return tenant.id;
}

/**
 * Seals what an older version stored in the clear, and seals anew what is under an older key, so that this key can go.
 * Any number of processes may do so at once. Throws a `SecretBoxError` when there is a secret that no key opens.
 */
export async function sealStoredSecrets(db: Database, secretBox: SecretBox): Promise<void> {
  const rows = await db.selectFrom('tenants').select(['id', 'webhook_secret']).execute();
  for (const { id, webhook_secret: stored } of rows) {
    if (secretBox.isCurrent(stored)) continue;
    const secret = stored.startsWith('whsec_') ? stored : secretBox.open(stored, placeOfSecret(id));
    await db
      .updateTable('tenants')
      .set({ webhook_secret: secretBox.seal(secret, placeOfSecret(id)) })
      .where('id', '=', id)
      // Somebody may have given the tenant another secret in between.
      .where('webhook_secret', '=', stored)
      .execute();
  }
}

/**
 * Reads the secrets that sign a tenant's webhooks, the newest first; none when there is no such tenant. Throws a
 * `SecretBoxError` rather than let anything be signed with a secret that does not open.
 */
export async function webhookSecrets(
  db: Database,
  secretBox: SecretBox,
  tenantId: string,
): Promise<string[]> {
  const rows = await db.selectFrom('tenants').select('webhook_secret').where('id', '=', tenantId).execute();
  return rows.map((row) => secretBox.open(row.webhook_secret, placeOfSecret(tenantId)));
}

function placeOfSecret(tenantId: string): string {
  return `tenants.webhook_secret ${tenantId}`;
}
