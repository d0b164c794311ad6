import { randomBytes } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { newUuid, publicId } from '../../core/job/id.ts';
import { type SecretBox, SecretBoxError } from '../../core/secrets/secret-box.ts';
import { type RetiredSecret, retire, stillSigning } from '../../core/webhook/retired-secrets.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { noteRatesChanged } from '../limits/rates.ts';
import { hashSecret, insertApiKey, parseApiKey, SCOPES, TENANT_SCOPES } from './api-keys.ts';
import { writeAuditEntries } from './audit-log.ts';
import { SHOWN, type TenantRow } from './read-tenants.ts';

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
  await ensureKey(db, { id: parsed.id, tenantId, secretHash });
  const stored = db.selectFrom('api_keys').select('secret_hash').where('id', '=', parsed.id);
  const row = await stored.executeTakeFirstOrThrow();
  if (!row.secret_hash.equals(secretHash)) {
    throw new Error('The bootstrap API key has the id of an existing key, but another secret.');
  }
  return { tenantId };
}

/**
 * Writes the bootstrap key. One that is there gets the scopes that have come since it was made, as nobody else could give
 * them to anybody; a key that another version wrote keeps those that only that one knows.
 */
async function ensureKey(
  db: Database,
  { id, tenantId, secretHash }: { id: string; tenantId: string; secretHash: Buffer },
): Promise<void> {
  await sql`
    INSERT INTO api_keys (id, tenant_id, name, secret_hash, scopes)
    VALUES (${id}, ${tenantId}, 'bootstrap', ${secretHash}, ${[...SCOPES]}::text[])
    ON CONFLICT (id) DO UPDATE
    SET scopes = api_keys.scopes || ARRAY(SELECT unnest(excluded.scopes) EXCEPT SELECT unnest(api_keys.scopes))
    WHERE api_keys.secret_hash = excluded.secret_hash AND api_keys.tenant_id = excluded.tenant_id
      AND NOT api_keys.scopes @> excluded.scopes`.execute(db);
}

/** What a tenant is told once: the key is kept nowhere. `id` is the ledger's UUID. */
export interface AddedTenant {
  id: string;
  apiKey: string;
  webhookSecret: string;
}

/**
 * Adds a tenant with a first key, which may do everything within it and nothing beyond, and a secret that is sealed at
 * once: processes that run already could not open one in the clear. All of it or nothing; throws when there is a tenant
 * of that name.
 */
export function addTenant(db: Database, secretBox: SecretBox, name: string): Promise<AddedTenant> {
  return db.transaction().execute(async (tx) => {
    const by = { actor: 'add-tenant', reason: 'a first key was made with it' };
    const made = await insertTenant(tx, secretBox, { name }, by);
    if (!made) throw new Error(`There is a tenant with the name ${name} already.`);
    const { row, webhookSecret } = made;
    const key = { tenantId: row.id, name: 'first', scopes: TENANT_SCOPES, actor: 'add-tenant' };
    const { text } = await insertApiKey(tx, key);
    return { id: row.id, apiKey: text, webhookSecret };
  });
}

/** What a tenant can be given when it is made; what is left out is as for everybody. */
export interface NewTenant {
  name: string;
  weight?: number;
  concurrency?: number | null;
  maxBacklog?: number | null;
  ratePerSecond?: number | null;
  burst?: number | null;
  dailyQuota?: number | null;
}

/** Adds a tenant and the secret that signs its webhooks, in the operator's transaction; `undefined` when the name is taken. */
export async function insertTenant(
  tx: Transaction<Ledger>,
  secretBox: SecretBox,
  { maxBacklog = null, ratePerSecond = null, burst = null, dailyQuota = null, ...tenant }: NewTenant,
  { actor, reason }: { actor: string; reason: string },
): Promise<{ row: TenantRow; webhookSecret: string } | undefined> {
  const id = newUuid();
  const webhookSecret = generateWebhookSecret();
  const row = await tx
    .insertInto('tenants')
    .values({
      ...{ ...tenant, id, max_backlog: maxBacklog },
      ...{ rate_per_second: ratePerSecond, burst, daily_quota: dailyQuota },
      webhook_secret: secretBox.seal(webhookSecret, placeOfSecret(id)),
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning(SHOWN)
    .executeTakeFirst();
  if (!row) return undefined;
  const { name, weight, concurrency } = row;
  const target = publicId('tenant', id);
  const detail = { reason, name, weight, concurrency, maxBacklog, ratePerSecond, burst, dailyQuota };
  if (ratePerSecond !== null || dailyQuota !== null) await noteRatesChanged(tx);
  await writeAuditEntries(tx, [{ tenantId: id, actor, action: 'tenant.create', target, detail }]);
  return { row, webhookSecret };
}

/** A secret that is given replaces the one that is there; one made up here must not. */
async function ensureTenant(
  db: Database,
  secretBox: SecretBox,
  webhookSecret: string | undefined,
): Promise<string> {
  const id = newUuid();
  const secret = webhookSecret ?? generateWebhookSecret();
  await db
    .insertInto('tenants')
    .values({ id, name: DEFAULT_TENANT, webhook_secret: secretBox.seal(secret, placeOfSecret(id)) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const named = db.selectFrom('tenants').select('id').where('name', '=', DEFAULT_TENANT);
  const tenant = await named.executeTakeFirstOrThrow();
  if (webhookSecret !== undefined && tenant.id !== id)
    await replaceWebhookSecret(db, secretBox, { tenantId: tenant.id, secret: webhookSecret });
  return tenant.id;
}

/**
 * Gives a tenant another secret; the one it had goes on signing for 24 hours, by the clock of Postgres. Given the secret
 * that it has, nothing changes, so that any number of processes may start with it, at once and again. One that no key
 * opens is lost, and cannot sign any more.
 */
function replaceWebhookSecret(
  db: Database,
  secretBox: SecretBox,
  { tenantId, secret }: { tenantId: string; secret: string },
): Promise<void> {
  return db.transaction().execute(async (tx) => {
    // Of two processes that start with different secrets the later one must see what the other has retired.
    const row = await selectSecrets(tx).where('id', '=', tenantId).forUpdate().executeTakeFirstOrThrow();
    const opened = (sealed: string) => openIfPossible(secretBox, sealed, tenantId);
    if (opened(row.webhook_secret) === secret) return;
    const mayStay = (sealed: string) => ![undefined, secret].includes(opened(sealed));
    const retired = retire(row.webhook_secret, row.retired_webhook_secrets, row.now);
    await tx
      .updateTable('tenants')
      .set({
        webhook_secret: secretBox.seal(secret, placeOfSecret(tenantId)),
        retired_webhook_secrets: JSON.stringify(retired.filter(({ secret: sealed }) => mayStay(sealed))),
      })
      .where('id', '=', tenantId)
      .execute();
  });
}

/**
 * Seals what an older version stored in the clear, and seals anew what is under an older key, so that this key can go;
 * forgets secrets that do not sign any more. Any number of processes may do so at once. Throws a `SecretBoxError` when
 * there is a secret that no key opens.
 */
export async function sealStoredSecrets(db: Database, secretBox: SecretBox): Promise<void> {
  // By the key, as the plan that is kept has to go through an index.
  const rows = await selectSecrets(db).orderBy('id').execute();
  for (const row of rows) {
    const { id, webhook_secret: stored, retired_webhook_secrets: before } = row;
    const retired = stillSigning(before, row.now);
    const all = [stored, ...retired.map(({ secret }) => secret)];
    if (retired.length === before.length && all.every((sealed) => secretBox.isCurrent(sealed))) continue;
    const sealAnew = (sealed: string) =>
      secretBox.isCurrent(sealed)
        ? sealed
        : secretBox.seal(openStored(secretBox, sealed, id), placeOfSecret(id));
    const resealed = retired.map(({ secret, signsUntil }) => ({ secret: sealAnew(secret), signsUntil }));
    await db
      .updateTable('tenants')
      .set({ webhook_secret: sealAnew(stored), retired_webhook_secrets: JSON.stringify(resealed) })
      .where('id', '=', id)
      // Somebody may have given the tenant another secret in between.
      .where('webhook_secret', '=', stored)
      .where('retired_webhook_secrets', '=', sql<RetiredSecret[]>`${JSON.stringify(before)}::jsonb`)
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
  const row = await selectSecrets(db).where('id', '=', tenantId).executeTakeFirst();
  if (!row) return [];
  const sealed = [
    row.webhook_secret,
    ...stillSigning(row.retired_webhook_secrets, row.now).map(({ secret }) => secret),
  ];
  return sealed.map((secret) => secretBox.open(secret, placeOfSecret(tenantId)));
}

function selectSecrets(db: Database) {
  return db
    .selectFrom('tenants')
    .select(['id', 'webhook_secret', 'retired_webhook_secrets', sql<Date>`now()`.as('now')]);
}

function placeOfSecret(tenantId: string): string {
  return `tenants.webhook_secret ${tenantId}`;
}

/** An older version stored secrets in the clear. */
function openStored(secretBox: SecretBox, stored: string, tenantId: string): string {
  return stored.startsWith('whsec_') ? stored : secretBox.open(stored, placeOfSecret(tenantId));
}

function openIfPossible(secretBox: SecretBox, stored: string, tenantId: string): string | undefined {
  try {
    return openStored(secretBox, stored, tenantId);
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}
