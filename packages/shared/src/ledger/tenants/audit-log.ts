import { sql, type Transaction } from 'kysely';
import { newUuid } from '../../core/job/id.ts';
import { asOperator, asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { AuditRow, Ledger } from '../connection/tables.ts';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';

/**
 * Something that was done by hand. `actor` is a key's public id, or the name of the tool that did it; `target` and the ids
 * in `detail` are public ids, or the names of queues and job types.
 */
export interface AuditEntry {
  /** Whom it concerns; `null`: the installation. */
  tenantId: string | null;
  actor: string;
  action:
    | 'dead_letter.replay'
    | 'dead_letter.discard'
    | 'bulk_replay.create'
    | 'bulk_replay.cancel'
    | 'bulk_replay.stop'
    | 'tenant.create'
    | `${'queue' | 'job_type' | 'tenant'}.${'change' | 'pause' | 'resume'}`;
  target: string;
  detail: { reason: string } & Record<string, unknown>;
}

/** Writes entries in the caller's transaction: nothing is done that leaves no trace. */
export async function writeAuditEntries(tx: Transaction<Ledger>, entries: AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await sql`
    INSERT INTO audit_log (id, tenant_id, actor, action, target, detail)
    SELECT id, tenant_id, actor, action, target, detail FROM ${unnestBatch('i', COLUMNS, entries)}`.execute(
    tx,
  );
}

const COLUMNS: BatchColumn<AuditEntry>[] = [
  { name: 'id', type: 'uuid', value: () => newUuid() },
  { name: 'tenant_id', type: 'uuid', value: ({ tenantId }) => tenantId },
  { name: 'actor', type: 'text', value: ({ actor }) => actor },
  { name: 'action', type: 'text', value: ({ action }) => action },
  { name: 'target', type: 'text', value: ({ target }) => target },
  { name: 'detail', type: 'jsonb', value: ({ detail }) => JSON.stringify(detail) },
];

export interface AuditFilter {
  action?: string;
  actor?: string;
  target?: string;
}

/** Lists what was done in a tenant, newest first, from the entry after `afterId` on. */
export function listAuditLog(
  db: Database,
  tenantId: string,
  filter: AuditFilter,
  page: Page,
): Promise<AuditRow[]> {
  return asTenant(db, tenantId, (tx) => selectEntries(tx, { ...filter, tenantId }, page));
}

/** Lists what was done in the whole installation, or in one tenant of it, in the same order. */
export function listWholeAuditLog(
  db: Database,
  callersTenantId: string,
  filter: AuditFilter & { tenantId?: string },
  page: Page,
): Promise<AuditRow[]> {
  return asOperator(db, callersTenantId, (tx) => selectEntries(tx, filter, page));
}

interface Page {
  afterId?: string;
  limit: number;
}

function selectEntries(
  tx: Transaction<Ledger>,
  filter: AuditFilter & { tenantId?: string },
  page: Page,
): Promise<AuditRow[]> {
  let query = tx.selectFrom('audit_log').selectAll();
  if (filter.tenantId) query = query.where('tenant_id', '=', filter.tenantId);
  if (page.afterId) query = query.where('id', '<', page.afterId);
  if (filter.action) query = query.where('action', '=', filter.action);
  if (filter.actor) query = query.where('actor', '=', filter.actor);
  if (filter.target) query = query.where('target', '=', filter.target);
  return query.orderBy('id', 'desc').limit(page.limit).execute();
}
