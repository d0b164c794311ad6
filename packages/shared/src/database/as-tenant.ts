import { sql, type Transaction } from 'kysely';
import type { Database } from './connect.ts';
import type { Ledger } from './tables.ts';

/** The role that the policies of the ledger hold for (`migrations/0003_tenant_isolation.ts`). */
const ROLE = 'accepted_tenant';

/**
 * Runs `work` in a transaction that sees and changes the rows of one tenant alone, even where a statement forgets to ask
 * for them. The second line behind every `WHERE tenant_id`; a pooler in transaction mode does not break it.
 */
export function asTenant<T>(
  db: Database,
  tenantId: string,
  work: (tx: Transaction<Ledger>) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (tx) => {
    // Both end with the transaction, so the next one on this connection starts as the owner again.
    await sql`SELECT set_config('accepted.tenant_id', ${tenantId}, true), set_config('role', ${ROLE}, true)`.execute(
      tx,
    );
    return await work(tx);
  });
}
