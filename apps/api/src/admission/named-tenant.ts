import { parsePublicId } from '@accepted/shared/core/job/id';
import { missingScope } from '../http/problem.ts';
import type { Caller } from './authentication.ts';

/**
 * Answers the ledger's id of the tenant that a request names by its public one; `undefined` where there can be none of that id.
 * Throws a problem when it is another than the caller's and the caller is no operator, whether it is there or not.
 */
export function namedTenant(caller: Caller, id: string): string | undefined {
  const tenantId = parsePublicId('tenant', id);
  if (tenantId !== caller.tenantId && !caller.scopes.includes('operator'))
    throw missingScope('operator', 'What is of another tenant needs the scope operator.');
  return tenantId;
}
