import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import type { ApiKeyRow } from '@accepted/shared/ledger/connection/tables';
import { SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { Type } from 'typebox';
import { Problem } from '../../http/problem.ts';
import { oneOf } from '../../schemas/one-of.ts';
import { shownRate } from '../../schemas/rules.ts';
import { orNull, time } from '../../schemas/shared-schemas.ts';

export const ScopeList = Type.Array(oneOf(SCOPES), {
  minItems: 1,
  uniqueItems: true,
  description: 'What the key may do.',
});

export const apiKeyFields = {
  id: Type.String({ description: 'The id of the key, `key_…`.' }),
  tenantId: Type.String({ description: 'The tenant that it belongs to, `ten_…`.' }),
  name: Type.String({ description: 'What its maker called it.' }),
  scopes: Type.Array(Type.String(), { description: 'What it may do.' }),
  ...shownRate,
  createdAt: time('When it was made.'),
  revokedAt: orNull(time('When it was revoked; `null` while it is in force.')),
};

export const ApiKey = Type.Object(apiKeyFields, {
  title: 'ApiKey',
  additionalProperties: false,
  description: 'An API key; its secret is not kept.',
});

/** Shows an API key; its secret is not known any more. */
export function apiKeyView(row: ApiKeyRow) {
  return {
    id: publicId('apiKey', row.id),
    tenantId: publicId('tenant', row.tenant_id),
    name: row.name,
    scopes: row.scopes,
    ratePerSecond: row.rate_per_second,
    burst: row.burst,
    createdAt: row.created_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}

/** Reads a key's id out of the path; an id of another form answers 404. */
export function apiKeyIdOf(id: string): string {
  const uuid = parsePublicId('apiKey', id);
  if (!uuid) throw new Problem('api_key_not_found');
  return uuid;
}

/** A tenant other than one's own, whose keys only an operator may manage. */
export const KeysTenant = Type.Optional(
  Type.String({
    description: 'The tenant that it is about; your own by default, any other needs the scope `operator`.',
  }),
);
