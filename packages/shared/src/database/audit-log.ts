import { newUuid } from '../job/id.ts';
import type { Database } from './connect.ts';

/** Something that was done to a job by hand; `actor` is a key's id, or the name of the tool that did it. */
export interface AuditEntry {
  tenantId: string | null;
  actor: string;
  action: 'dead_letter.replay' | 'dead_letter.discard';
  target: string;
  detail: Record<string, unknown>;
}

/** Writes entries in the caller's transaction: nothing is done that leaves no trace. */
export async function writeAuditEntries(tx: Database, entries: AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx
    .insertInto('audit_log')
    .values(
      entries.map((entry) => ({
        id: newUuid(),
        tenant_id: entry.tenantId,
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        detail: JSON.stringify(entry.detail),
      })),
    )
    .execute();
}
