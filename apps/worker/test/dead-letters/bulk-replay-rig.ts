import type { Database } from '@accepted/shared/ledger/connection/connect';
import {
  type BulkReplayRequest,
  createBulkReplay,
  findBulkReplay,
} from '@accepted/shared/ledger/dead-letters/bulk-replays';
import { waitUntil } from '@accepted/testing/wait-until';

export const ACT = { actor: 'key_test', reason: 'the test says so' };

/** Asks for all dead letters of a tenant to be replayed, and answers the id of the bulk replay. */
export async function replayAll(
  db: Database,
  tenantId: string,
  options: Partial<BulkReplayRequest> = {},
): Promise<string> {
  const request = { tenantId, selection: { filter: {} }, act: ACT, canary: 0, ...options };
  const created = await createBulkReplay(db, request);
  if (!('replay' in created)) throw new Error('The bulk replay was not created.');
  return created.replay.id;
}

export async function readReplay(db: Database, tenantId: string, id: string) {
  const found = await findBulkReplay(db, tenantId, id);
  if (!found) throw new Error('There is no such bulk replay.');
  return found;
}

/** Waits until nothing is left to replay and every replayed job is finished. */
export async function untilFinished(db: Database, tenantId: string, id: string) {
  const isFinished = async () => (await readReplay(db, tenantId, id)).replay.finished_at !== null;
  await waitUntil(isFinished, { until: 'the bulk replay is finished', timeoutMs: 30_000 });
  return await readReplay(db, tenantId, id);
}
