import type { Transaction } from 'kysely';
import type { Database } from './connect.ts';
import type { Ledger } from './tables.ts';
import { beginningFor } from './tenant-dialect.ts';

/**
 * Runs `work` in a transaction that sees and changes the rows of one tenant alone, even where a statement forgets to ask
 * for them: under the role that the policies hold for (`migrations/0003_tenant_isolation.ts`). The second line behind
 * every `WHERE tenant_id`; a pooler in transaction mode does not break it.
 */
export function asTenant<T>(
  db: Database,
  tenantId: string,
  work: (tx: Transaction<Ledger>) => Promise<T>,
): Promise<T> {
  return beginningFor.run(tenantId, () =>
    // Only this transaction is the tenant's, and none that `work` may begin besides.
    db.transaction().execute((tx) => beginningFor.run(undefined, () => work(tx))),
  );
}
