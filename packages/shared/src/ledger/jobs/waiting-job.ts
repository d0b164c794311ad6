import { type RawBuilder, sql } from 'kysely';
import type { Stand } from '../../core/fairness/explain-wait.ts';
import type { LineName } from '../../core/fairness/queue-lines.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import { planThroughIndexes } from '../queues/plan-through-indexes.ts';
import { IN_ORDER } from './hot-rows.ts';
import { BLOCKED_LINE, LINE } from './survey-queue.ts';

/** A job that is due and was not dispatched: where it stands. `before` is counted up to 1,000. */
export interface WaitingJob extends Stand {
  queue: string;
  /** The first of the jobs of its key that are in flight. */
  holderIds: string[];
}

const MOST_BEFORE = 1_000;
const MOST_HOLDERS = 20;

type Row = Omit<WaitingJob, 'line' | 'before'> & LineName & { placedBy: string };

/** Finds where a job of the tenant waits; `undefined` where it does not, or is just being moved. */
export async function findWaitingJob(
  db: Database,
  tenantId: string,
  jobId: string,
): Promise<WaitingJob | undefined> {
  const row = await asTenant(db, tenantId, async (tx) => {
    const { rows } = await selectJob(tenantId, jobId).execute(tx);
    return rows[0];
  });
  if (!row) return undefined;
  const { queue, concurrencyKey, concurrencyLimit, held, holderIds, placedBy, ...line } = row;
  const before = await countBefore(db, { queue, line, placedBy, jobId });
  return { queue, before, concurrencyKey, concurrencyLimit, held, holderIds, line };
}

function selectJob(tenantId: string, jobId: string): RawBuilder<Row> {
  const columns = (isKeyed: RawBuilder<unknown>, blockedBy: RawBuilder<unknown>) => sql`
    queue, tenant_id AS "tenantId", type, refused_by AS "refusedBy", priority, is_new AS "isNew", ${isKeyed} AS "isKeyed",
    ${blockedBy} AS "blockedBy", placed_by::text AS "placedBy", concurrency_key AS "concurrencyKey",
    concurrency_limit AS "concurrencyLimit"`;
  const isIt = sql`tenant_id = ${tenantId} AND job_id = ${jobId}`;
  return sql<Row>`
    SELECT job.*, held.jobs AS held, held.ids AS "holderIds"
    FROM (
      SELECT ${columns(sql`is_keyed`, sql`NULL::text`)} FROM ready WHERE ${isIt}
      UNION ALL SELECT ${columns(sql`true`, sql`concurrency_key`)} FROM blocked WHERE ${isIt}) AS job
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS jobs, coalesce((array_agg(job_id ORDER BY job_id))[1:${sql.lit(MOST_HOLDERS)}], '{}') AS ids
      FROM in_flight WHERE tenant_id = ${tenantId} AND concurrency_key = job."concurrencyKey") AS held`;
}

/**
 * Counts who stands before a job in its line. Under the policies of tenants the line is no condition of the index, as comparing
 * arrays is not leakproof: then all jobs of the tenant would be read.
 */
function countBefore(
  db: Database,
  { queue, line, placedBy, jobId }: { queue: string; line: LineName; placedBy: string; jobId: string },
): Promise<number> {
  const { tenantId, type, refusedBy, priority, isNew, isKeyed, blockedBy } = line;
  const inLine =
    blockedBy === null
      ? sql`ready WHERE ${IN_ORDER} AND (queue, ${LINE})
          = (${queue}, ${tenantId}::uuid, ${type}, ${refusedBy}::text[], ${priority}, ${isNew}, ${isKeyed})`
      : sql`blocked WHERE ${IN_ORDER} AND (queue, ${BLOCKED_LINE})
          = (${queue}, ${tenantId}::uuid, ${blockedBy}, ${type}, ${refusedBy}::text[], ${priority}, ${isNew})`;
  return db.transaction().execute(async (tx) => {
    await planThroughIndexes(tx);
    const { rows } = await sql<{ before: number }>`
      SELECT count(*)::int AS before FROM (
        SELECT FROM ${inLine} AND (placed_by, job_id) < (${placedBy}::xid8, ${jobId}::uuid)
        LIMIT ${sql.lit(MOST_BEFORE)}) AS counted`.execute(tx);
    return rows[0]?.before ?? 0;
  });
}
