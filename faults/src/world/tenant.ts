import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { createApiKey } from '@accepted/shared/ledger/tenants/api-keys';

/** Adds a second tenant beside the default one; answers its API key. Its secret is sealed when the first process starts. */
export async function addTenant(db: Database, webhookSecret: string): Promise<string> {
  const tenantId = newUuid();
  const values = { id: tenantId, name: `neighbour-${tenantId}`, webhook_secret: webhookSecret };
  await db.insertInto('tenants').values(values).execute();
  const key = { tenantId, name: 'load', scopes: ['jobs:write' as const], actor: 'faults' };
  return (await createApiKey(db, key)).text;
}
