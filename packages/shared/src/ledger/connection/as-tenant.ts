import type { Transaction } from 'kysely';
import { createFairQueue, type FairQueue } from '../../core/fairness/fair-queue.ts';
import type { Database } from './connect.ts';
import type { Ledger } from './tables.ts';
import { beginningFor, type TenantTransaction } from './tenant-dialect.ts';

/** The connections that tenants take turns at, so that one who asks for everything leaves some to the others. */
const fairShares = new WeakMap<Database, FairQueue>();

export interface ShareOptions {
  connections: number;
  maxWaitMs: number;
  /** Is told how long each waited. */
  onWaited?: (ms: number) => void;
}

/** Has tenants share so many connections; the others of the pool are for what is done for all. */
export function shareConnections(db: Database, { connections, ...waits }: ShareOptions): void {
  fairShares.set(db, createFairQueue({ concurrency: connections, ...waits }));
}

/** For which tenant a transaction was begun. */
const tenantOf = new WeakMap<Database, string>();

/**
 * Runs `work` in a transaction that sees and changes the rows of one tenant alone, even where a statement forgets to ask
 * for them: under the role that the policies hold for (`migrations/0003_tenant_isolation.ts`). The second line behind
 * every `WHERE tenant_id`; a pooler in transaction mode does not break it.
 *
 * Where `db` is such a transaction already, `work` becomes a part of it. Throws when that is another tenant's, or nobody's.
 */
export function asTenant<T>(
  db: Database,
  tenantId: string,
  work: (tx: Transaction<Ledger>) => Promise<T>,
  {
    keepsPlans = false,
    isOneSnapshot = false,
    isOneRead = false,
  }: Partial<Omit<TenantTransaction, 'tenantId'>> = {},
): Promise<T> {
  if (db.isTransaction) return work(transactionOf(db, tenantId));
  const inTransaction = () =>
    beginningFor.run({ tenantId, keepsPlans, isOneSnapshot, isOneRead }, () =>
      db.transaction().execute((tx) => {
        tenantOf.set(tx, tenantId);
        // Only this transaction is the tenant's, and none that `work` may begin besides.
        return beginningFor.run(undefined, () => work(tx));
      }),
    );
  return inTurn(db, tenantId, inTransaction);
}

/**
 * Runs `work` in a transaction that no policy holds for, at the turn of the tenant whose operator asks for it: for what reaches
 * over all tenants.
 */
export function asOperator<T>(
  db: Database,
  tenantId: string,
  work: (tx: Transaction<Ledger>) => Promise<T>,
): Promise<T> {
  return inTurn(db, tenantId, () => db.transaction().execute(work));
}

function inTurn<T>(db: Database, tenantId: string, inTransaction: () => Promise<T>): Promise<T> {
  const connections = fairShares.get(db);
  return connections ? connections.run(tenantId, inTransaction) : inTransaction();
}

function transactionOf(db: Database, tenantId: string): Transaction<Ledger> {
  if (tenantOf.get(db) !== tenantId) throw new Error('The transaction was not begun for this tenant.');
  return db as Transaction<Ledger>;
}
