import { type RawBuilder, sql, type Transaction } from 'kysely';
import { uuidsMadeBetween } from '../../core/job/week.ts';
import type { Ledger } from '../connection/tables.ts';

/** Says which dead letters somebody means; times are of the dead letter's making. */
export interface DeadLetterFilter {
  queue?: string;
  type?: string;
  fingerprint?: string;
  reason?: string;
  createdAfter?: Date;
  createdBefore?: Date;
}

/** Says which open dead letters something is to be done to. */
export type DeadLetterSelection = { filter: DeadLetterFilter } | { ids: string[] };

/** Makes the condition on `dead_letters` that a filter stands for; an empty filter lets all through. */
export function matchesFilter(filter: DeadLetterFilter): RawBuilder<boolean> {
  const { from, before } = uuidsMadeBetween(filter.createdAfter, filter.createdBefore);
  const conditions = [
    ...equal('queue', filter.queue),
    ...equal('type', filter.type),
    ...equal('fingerprint', filter.fingerprint),
    ...equal('reason', filter.reason),
    ...(filter.createdAfter ? [sql`dead_letters.created_at > ${filter.createdAfter}`] : []),
    ...(filter.createdBefore ? [sql`dead_letters.created_at < ${filter.createdBefore}`] : []),
    ...(from === undefined ? [] : [sql`dead_letters.id >= ${from}`]),
    ...(before === undefined ? [] : [sql`dead_letters.id < ${before}`]),
  ];
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` AND `)}`;
}

function equal(column: string, value: string | undefined): RawBuilder<unknown>[] {
  return value === undefined ? [] : [sql`${sql.ref(`dead_letters.${column}`)} = ${value}`];
}

/** Makes the query for the ids of a tenant's open dead letters that are meant, the oldest first. */
export function openSelected(tenantId: string, selection: DeadLetterSelection, limit: number) {
  const condition =
    'ids' in selection
      ? sql`dead_letters.id = ANY(${selection.ids}::uuid[])`
      : matchesFilter(selection.filter);
  return sql<{ id: string }>`
    SELECT dead_letters.id FROM dead_letters
    WHERE dead_letters.tenant_id = ${tenantId} AND dead_letters.resolution IS NULL AND ${condition}
    ORDER BY dead_letters.id LIMIT ${limit}`;
}

/** Answers those of the ids that are no dead letters of this tenant, open or not. */
export async function unknownDeadLetters(
  tx: Transaction<Ledger>,
  tenantId: string,
  ids: string[],
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM unnest(${ids}::uuid[]) AS asked (id)
    WHERE NOT EXISTS (
      SELECT FROM dead_letters WHERE dead_letters.id = asked.id AND dead_letters.tenant_id = ${tenantId})`.execute(
    tx,
  );
  return rows.map((row) => row.id);
}
