import type { Operation } from '../document/api-document.ts';
import { idKindOf } from '../generate/meanings.ts';
import type { Expected, KeyName } from '../request/fuzz-request.ts';
import type { Twist } from './twist.ts';

/** What the key `few` may do. */
export const FEW_SCOPES = ['jobs:read', 'dead-letters'] as const;

const KEYS: KeyName[] = ['few', 'few', 'other', 'other', 'none', 'unknown', 'revoked', 'malformed'];

const otherKey: Twist = {
  fits: ({ needsKey }) => needsKey,
  apply(draft, { draw }) {
    draft.key = draw.pick(KEYS);
    return { did: `with the key "${draft.key}"`, expected: expectedOf(draft.key, draft.operation) };
  },
};

function expectedOf(key: KeyName, { scope = '', parameters, body }: Operation): Expected {
  if (key === 'few') return FEW_SCOPES.some((few) => few === scope) ? 'anything' : [403];
  if (key !== 'other') return [401];
  if (scope === 'operator') return [403];
  const isOfTenant = parameters.some((one) => one.in === 'path' && idKindOf(one.description) !== undefined);
  if (!isOfTenant) return 'anything';
  return body ? [404, 422] : [404];
}

export const KEY_TWISTS: Twist[] = [otherKey];
