import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { findTenant, type TenantRow } from '@accepted/shared/ledger/tenants/read-tenants';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { rulesFields, shownBacklog, shownQuota, shownRate } from '../../schemas/rules.ts';
import { time } from '../../schemas/shared-schemas.ts';
import { rulesView } from '../rules/rules-view.ts';

const WEIGHTS = { minimum: 0.001, maximum: 1_000 };

export const Weight = Type.Optional(
  Type.Number({
    ...WEIGHTS,
    description:
      "Of the workers' time it gets so many times what a tenant of weight 1 gets, while both wait.",
  }),
);

export const tenantFields = {
  id: Type.String({ description: 'The id of the tenant, `ten_…`.' }),
  name: Type.String({ description: 'What it is called.' }),
  weight: Type.Number({ description: 'Its share beside others that wait; 1 unless it was given another.' }),
  ...rulesFields,
  maxBacklog: shownBacklog('it'),
  ...shownRate,
  dailyQuota: shownQuota,
  createdAt: time('When it was made.'),
};

export const Tenant = Type.Object(tenantFields, {
  title: 'Tenant',
  additionalProperties: false,
  description: 'Whose jobs they are: keys, jobs and all that comes of them belong to a tenant.',
});

export const TenantIdParameter = Type.Object({
  id: Type.String({ description: 'The id of a tenant: `ten_…`.' }),
});

export function tenantView(row: TenantRow) {
  return {
    id: publicId('tenant', row.id),
    name: row.name,
    weight: row.weight,
    ...rulesView({ concurrency: row.concurrency, pausedAt: row.paused_at }),
    maxBacklog: row.max_backlog,
    ratePerSecond: row.rate_per_second,
    burst: row.burst,
    dailyQuota: row.daily_quota,
    createdAt: row.created_at.toISOString(),
  };
}

/** Reads the id of a tenant; one of another form answers 404. */
export function tenantIdOf(id: string): string {
  const uuid = parsePublicId('tenant', id);
  if (!uuid) throw new Problem('tenant_not_found');
  return uuid;
}

/** Reads a tenant by the ledger's id; throws a problem where there is none. */
export async function readTenant(db: Database, id: string) {
  const row = await findTenant(db, id);
  if (!row) throw new Problem('tenant_not_found');
  return tenantView(row);
}
