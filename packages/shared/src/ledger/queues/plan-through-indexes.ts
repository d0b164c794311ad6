import { sql, type Transaction } from 'kysely';
import type { Ledger } from '../connection/tables.ts';

/**
 * Has the server take its steps through indexes until the transaction ends. A scan in the hope of the `LIMIT` reads all
 * jobs when a queue has few of them, and a bitmap is made of all that match, whatever the `LIMIT`.
 */
export async function planThroughIndexes(tx: Transaction<Ledger>): Promise<void> {
  await sql`
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`.execute(
    tx,
  );
}
