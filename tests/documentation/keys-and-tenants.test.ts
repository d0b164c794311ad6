import { SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { expect, test } from 'vitest';
import { readPage, tableAfter } from './pages.ts';

test('the page on keys has every scope and no other', () => {
  const scopes = tableAfter(readPage('docs/keys-and-tenants.md'), '## Scopes').map(([scope]) => scope);
  expect(scopes).toEqual(SCOPES.map((scope) => `\`${scope}\``));
});
