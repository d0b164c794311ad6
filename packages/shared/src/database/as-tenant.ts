import type { Transaction } from 'kysely';
import { createFairQueue, type FairQueue } from '../batching/fair-queue.ts';
import type { Database } from './connect.ts';
import type { Ledger } from './tables.ts';
import { beginningFor } from './tenant-dialect.ts';

/** The connections that tenants take turns at, so that one who asks for everything leaves some to the others. */
const fairShares = new WeakMap<Database, FairQueue>();

/** Has tenants share so many connections; the others of the pool are for what is done for all. */
export function shareConnections(db: Database, connections: number, maxWaitMs: number): void {
  fairShares.set(db, createFairQueue({ concurrency: connections, maxWaitMs }));
}

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
  const inTransaction = () =>
    beginningFor.run(tenantId, () =>
      // Only this transaction is the tenant's, and none that `work` may begin besides.
      db.transaction().execute((tx) => beginningFor.run(undefined, () => work(tx))),
    );
  const connections = fairShares.get(db);
  return connections ? connections.run(tenantId, inTransaction) : inTransaction();
}
