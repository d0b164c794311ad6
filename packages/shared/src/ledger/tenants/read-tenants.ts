import type { Selectable } from 'kysely';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';

/** What is shown of a tenant: all but its secrets. */
export const SHOWN = [
  'id',
  'name',
  'weight',
  'concurrency',
  'max_backlog',
  'rate_per_second',
  'burst',
  'daily_quota',
  'paused_at',
  'created_at',
] as const;

export type TenantRow = Pick<Selectable<Ledger['tenants']>, (typeof SHOWN)[number]>;

export function findTenant(db: Database, id: string): Promise<TenantRow | undefined> {
  return db.selectFrom('tenants').select(SHOWN).where('id', '=', id).executeTakeFirst();
}

/** Lists all tenants, newest first, from the one after `afterId` on. */
export function listTenants(db: Database, page: { afterId?: string; limit: number }): Promise<TenantRow[]> {
  let query = db.selectFrom('tenants').select(SHOWN);
  if (page.afterId) query = query.where('id', '<', page.afterId);
  return query.orderBy('id', 'desc').limit(page.limit).execute();
}
