import { publicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  createApiKey,
  generateApiKey,
  parseApiKey,
  revokeApiKey,
} from '@accepted/shared/ledger/tenants/api-keys';
import { addTenant } from '@accepted/shared/ledger/tenants/tenants';
import { secretBox } from '@accepted/testing/secrets-key';
import type { KeyName } from '../request/fuzz-request.ts';
import { FEW_SCOPES } from '../twists/keys.ts';

/** The text of each key; none goes without. */
export type Keys = Readonly<Record<Exclude<KeyName, 'none'>, string>>;

/** Makes the keys that requests go out with, and the tenant of `other`, by its public id; `all` is one that there is already. */
export async function makeKeys(db: Database, all: string): Promise<{ keys: Keys; otherTenant: string }> {
  const tenantId = await tenantOf(db, all);
  const make = async (scopes: readonly (typeof FEW_SCOPES)[number][]) =>
    (await createApiKey(db, { tenantId, name: 'fuzz', scopes, actor: 'fuzz' })).text;
  const [few, revoked] = [await make(FEW_SCOPES), await make(FEW_SCOPES)];
  await revokeApiKey(db, { tenantId, id: parseApiKey(revoked)?.id ?? '', actor: 'fuzz' });
  const { apiKey: other, id } = await addTenant(db, secretBox, 'other');
  const noKeys = { unknown: generateApiKey().text, malformed: `${all.slice(0, -1)}G` };
  return { keys: { all, few, revoked, other, ...noKeys }, otherTenant: publicId('tenant', id) };
}

/** The ids of these keys as clients see them: a run that revoked its own keys would prove nothing. */
export function idsOfKeys(keys: Keys): Set<string> {
  return new Set(Object.values(keys).map((text) => `key_${text.split('_')[1]}`));
}

async function tenantOf(db: Database, key: string): Promise<string> {
  const row = db
    .selectFrom('api_keys')
    .select('tenant_id')
    .where('id', '=', parseApiKey(key)?.id ?? '');
  return (await row.executeTakeFirstOrThrow()).tenant_id;
}
