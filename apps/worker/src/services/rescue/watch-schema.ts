import type { Database } from '@accepted/shared/ledger/connection/connect';
import { findSchemaMismatch, type SchemaMismatch } from '@accepted/shared/ledger/connection/schema-version';
import { startLoop } from '../loop.ts';

const LOOK_EVERY_MS = 5_000;

/**
 * Looks whether the ledger was migrated under this worker to a schema that it cannot use: then nothing that it does can
 * succeed any more, and it has to end. An outage of Postgres says nothing about the schema.
 */
export function watchSchema(db: Database, onMismatch: (mismatch: SchemaMismatch) => void): void {
  startLoop({
    async runOnce() {
      const mismatch = await findSchemaMismatch(db);
      if (mismatch) onMismatch(mismatch);
      return LOOK_EVERY_MS;
    },
    retryAfterMs: LOOK_EVERY_MS,
    onError: () => undefined,
  });
}
