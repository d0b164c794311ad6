import type { Database } from '../connection/connect.ts';

/** Lists the weights of tenants that are not 1, by the tenant's id. */
export async function listTenantWeights(db: Database): Promise<Map<string, number>> {
  const rows = await db.selectFrom('tenants').select(['id', 'weight']).where('weight', '<>', 1).execute();
  return new Map(rows.map(({ id, weight }) => [id, weight]));
}
