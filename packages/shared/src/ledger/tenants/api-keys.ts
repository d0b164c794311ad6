import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { newUuid, parsePublicId, publicId } from '../../core/job/id.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { ApiKeyRow, Ledger } from '../connection/tables.ts';

/** Names what an API key can be allowed to do within its tenant. */
export const TENANT_SCOPES = ['jobs:write', 'jobs:read', 'dead-letters', 'webhooks', 'admin'] as const;

/** Names all that a key can be allowed to do: `metrics` and `operator` reach beyond its tenant. */
export const SCOPES = [...TENANT_SCOPES, 'metrics', 'operator'] as const;

export type Scope = (typeof SCOPES)[number];

const API_KEY = /^acc_([0-9a-z]{26})_([0-9a-f]{64})$/;

/** Splits `acc_<keyId>_<secret>`; `undefined` when the text is no API key. `id` is the ledger's UUID. */
export function parseApiKey(text: string): { id: string; secret: string } | undefined {
  const [, suffix, secret] = API_KEY.exec(text) ?? [];
  const id = suffix && parsePublicId('apiKey', `key_${suffix}`);
  return id && secret ? { id, secret } : undefined;
}

/** Makes a new API key: the text that its owner gets to see once, and what the ledger keeps of it. */
export function generateApiKey(): { id: string; text: string; secretHash: Buffer } {
  const id = newUuid();
  const secret = randomBytes(32).toString('hex');
  const suffix = publicId('apiKey', id).slice('key_'.length);
  return { id, text: `acc_${suffix}_${secret}`, secretHash: hashSecret(secret) };
}

/** Hashes a secret once with SHA-256: 256 random bits need no slow hash, unlike a password. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Compares in constant time, so that the time of an answer tells nothing about the stored hash. */
export function secretMatches(secret: string, secretHash: Buffer): boolean {
  const hash = hashSecret(secret);
  return hash.length === secretHash.length && timingSafeEqual(hash, secretHash);
}

/** Finds a key of any tenant, revoked ones too: only the key tells whose request it is. */
export function findApiKey(db: Database, id: string): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
}

interface NewApiKey {
  tenantId: string;
  name: string;
  scopes: readonly Scope[];
  /** How many jobs may be submitted with it a second; any number when left out. */
  ratePerSecond?: number | null;
  burst?: number | null;
  actor: string;
}

/** Creates a key and the audit row that says who did. The text is not kept anywhere. */
export function createApiKey(db: Database, request: NewApiKey): Promise<{ row: ApiKeyRow; text: string }> {
  return asTenant(db, request.tenantId, (tx) => insertApiKey(tx, request));
}

/** Does the same in a transaction that does more, such as adding the tenant. */
export async function insertApiKey(
  tx: Transaction<Ledger>,
  { tenantId, name, scopes, actor, ratePerSecond = null, burst = null }: NewApiKey,
): Promise<{ row: ApiKeyRow; text: string }> {
  const { id, text, secretHash } = generateApiKey();
  const row = await tx
    .insertInto('api_keys')
    .values({
      ...{ id, tenant_id: tenantId, name, secret_hash: secretHash, scopes: [...scopes] },
      ...{ rate_per_second: ratePerSecond, burst, revoked_at: null },
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(tx, row, actor, 'api_key.created');
  return { row, text };
}

/** Lists a tenant's keys, newest first, from the one after `afterId` on. */
export function listApiKeys(
  db: Database,
  tenantId: string,
  page: { afterId?: string; limit: number },
): Promise<ApiKeyRow[]> {
  return asTenant(db, tenantId, (tx) => {
    let query = tx.selectFrom('api_keys').selectAll().where('tenant_id', '=', tenantId);
    if (page.afterId) query = query.where('id', '<', page.afterId);
    return query.orderBy('id', 'desc').limit(page.limit).execute();
  });
}

/** A key as it is after the request to revoke it; `isLastAdmin` says why it was not revoked. */
export interface RevokeResult {
  row: ApiKeyRow;
  isLastAdmin: boolean;
}

/**
 * Revokes a key for good; revoking it again changes nothing. `undefined` when the tenant has no such key. The last key
 * with the scope `admin` stays in force: without one nobody could make the tenant another.
 */
export function revokeApiKey(
  db: Database,
  request: { tenantId: string; id: string; actor: string },
): Promise<RevokeResult | undefined> {
  return asTenant(db, request.tenantId, async (tx) => {
    const admins = await lockAdminKeys(tx, request.tenantId);
    const owned = tx.selectFrom('api_keys').selectAll().where('tenant_id', '=', request.tenantId);
    const row = await owned.where('id', '=', request.id).forUpdate().executeTakeFirst();
    if (!row) return undefined;
    const isLastAdmin = admins.length === 1 && admins[0] === row.id;
    if (row.revoked_at || isLastAdmin) return { row, isLastAdmin };
    await audit(tx, row, request.actor, 'api_key.revoked');
    const revoked = await tx
      .updateTable('api_keys')
      .set({ revoked_at: sql`now()` })
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return { row: revoked, isLastAdmin };
  });
}

/**
 * Locks, in the order of their ids, the keys of a tenant that are in force and may manage keys. Of two that revoke each
 * other's key at the same moment the second waits here, and sees then that its own is the last.
 */
async function lockAdminKeys(tx: Transaction<Ledger>, tenantId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('api_keys')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`'admin' = ANY(scopes)`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}

async function audit(tx: Transaction<Ledger>, row: ApiKeyRow, actor: string, action: string): Promise<void> {
  const target = publicId('apiKey', row.id);
  const { name, scopes, rate_per_second: ratePerSecond, burst } = row;
  const detail = JSON.stringify({ name, scopes, ratePerSecond, burst });
  await tx
    .insertInto('audit_log')
    .values({ id: newUuid(), tenant_id: row.tenant_id, actor, action, target, detail })
    .execute();
}
