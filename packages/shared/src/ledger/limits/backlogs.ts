import { type RawBuilder, sql } from 'kysely';
import { DELIVERY_QUEUE } from '../../core/webhook/event.ts';
import type { Database } from '../connection/connect.ts';
import { IN_ORDER, OF_QUEUE } from '../jobs/hot-rows.ts';
import { HOT_TABLES, type HotTable } from '../jobs/hot-tables.ts';

/** Under this stands in `backlogs` what all tenants have in a queue. */
const ALL_TENANTS = '00000000-0000-0000-0000-000000000000';
/** The lock of those who fold (`pg_try_advisory_xact_lock`). */
const FOLDING = 1_650_550_636;

/**
 * Builds the step of a statement that tells how many live jobs there are more, or with `sign` -1 less. `jobs` has a row a job, with
 * `queue` and `tenant_id`. It is committed with the jobs, and nobody waits for anybody.
 */
export function tellBacklog(jobs: RawBuilder<unknown>, sign: 1 | -1): RawBuilder<unknown> {
  return sql`INSERT INTO backlog_changes (queue, tenant_ids, jobs)
    SELECT queue, array_agg(tenant_id), array_agg(jobs) FROM (
      SELECT queue, tenant_id, (${sql.lit(sign)} * count(*))::integer AS jobs FROM ${jobs} GROUP BY queue, tenant_id) AS told
    GROUP BY queue`;
}

/** What is not in the sums yet. */
const UNFOLDED = sql`told_by >= (SELECT told_since FROM backlogs_counted WHERE is_only_row)`;
/** Of the snapshot of a statement: all before it have ended, and it sees what they told. */
const ALL_BEFORE_ENDED = sql`pg_snapshot_xmin(pg_current_snapshot())`;

/** A queue, or what tenants have in it, and how many live jobs may be there; `null`: any number. */
export interface QueueBacklog {
  queue: string;
  jobs: number;
  maxBacklog: number | null;
  maxBacklogPerTenant: number | null;
}

export interface TenantBacklog {
  tenantId: string;
  /** Over all queues but that of the deliveries of webhooks. */
  jobs: number;
  maxBacklog: number | null;
  queues: { queue: string; jobs: number }[];
}

/** How many live jobs there were at one moment. */
export interface Backlogs {
  /** Where this is `false` nobody has counted since the sums were lost, and they say nothing. */
  isCounted: boolean;
  /** How many changes have not been folded into the sums. */
  unfolded: number;
  queues: QueueBacklog[];
  /** Those that were asked for. */
  tenants: TenantBacklog[];
  /** All that have a bound of their own. */
  boundedTenants: string[];
  /** Which edition of the rates is in force (`rates.ts`): whoever looks at the bounds learns of it in passing. */
  ratesEdition: string;
}

/** Reads the backlogs of all queues and of these tenants, with the bounds that are in force. Costs the same however many jobs wait. */
export async function readBacklogs(db: Database, tenantIds: readonly string[]): Promise<Backlogs> {
  const { rows } = await sql<Backlogs>`
    /* read-backlogs */ WITH told AS MATERIALIZED (
      SELECT queue, tenant_id, sum(change.jobs) AS jobs
      FROM backlog_changes CROSS JOIN LATERAL unnest(tenant_ids, jobs) AS change (tenant_id, jobs)
      WHERE ${UNFOLDED} GROUP BY queue, tenant_id
    ),
    asked AS MATERIALIZED (
      SELECT id, max_backlog FROM unnest(${tenantIds}::uuid[]) AS asked (id) JOIN tenants USING (id)
    ),
    of_tenants AS MATERIALIZED (
      SELECT tenant_id, queue, sum(jobs)::float8 AS jobs FROM (
        SELECT tenant_id, queue, jobs FROM asked JOIN backlogs ON tenant_id = asked.id
        UNION ALL SELECT tenant_id, queue, jobs FROM asked JOIN told ON tenant_id = asked.id) AS counted
      GROUP BY tenant_id, queue
    ),
    all_of_it AS (
      SELECT tenant_id, sum(jobs) FILTER (WHERE queue <> ${DELIVERY_QUEUE}) AS jobs,
        json_agg(json_build_object('queue', queue, 'jobs', jobs)) AS queues
      FROM of_tenants GROUP BY tenant_id
    )
    SELECT EXISTS (SELECT FROM backlogs_counted WHERE is_only_row) AS "isCounted",
      (SELECT count(*)::int FROM backlog_changes WHERE ${UNFOLDED}) AS unfolded,
      (SELECT coalesce(json_agg(json_build_object('queue', name, 'maxBacklog', max_backlog,
        'maxBacklogPerTenant', max_backlog_per_tenant, 'jobs',
        coalesce((SELECT jobs FROM backlogs WHERE tenant_id = ${ALL_TENANTS} AND queue = name), 0)
        + coalesce((SELECT sum(jobs) FROM told WHERE queue = name), 0))), '[]') FROM queues) AS queues,
      (SELECT coalesce(json_agg(json_build_object('tenantId', id, 'maxBacklog', max_backlog, 'jobs', coalesce(all_of_it.jobs, 0),
        'queues', coalesce(all_of_it.queues, '[]'))), '[]') FROM asked LEFT JOIN all_of_it ON tenant_id = id) AS tenants,
      ARRAY(SELECT id FROM tenants WHERE max_backlog IS NOT NULL) AS "boundedTenants",
      (SELECT edition::text FROM rates_edition WHERE is_only_row) AS "ratesEdition"`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A look at the backlogs answered no row.');
  return row;
}

/**
 * Folds what was told into the sums, and answers how many lines had changed; whoever finds somebody else at it leaves it to them.
 */
export function foldBacklogs(db: Database): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ isOurs: boolean }>`
      SELECT pg_try_advisory_xact_lock(${FOLDING}) AS "isOurs"`.execute(tx);
    if (!rows[0]?.isOurs) return 0;
    const { numAffectedRows } = await sql`
      /* fold-backlogs */ WITH told AS (DELETE FROM backlog_changes WHERE ${UNFOLDED} RETURNING *),
      noted AS (UPDATE backlogs_counted SET told_since = ${ALL_BEFORE_ENDED} WHERE is_only_row),
      changed AS (
        SELECT coalesce(tenant_id, ${ALL_TENANTS}::uuid) AS tenant_id, queue, sum(change.jobs) AS jobs
        FROM told CROSS JOIN LATERAL unnest(tenant_ids, jobs) AS change (tenant_id, jobs)
        GROUP BY GROUPING SETS ((tenant_id, queue), (queue))
      )
      MERGE INTO backlogs USING changed ON backlogs.tenant_id = changed.tenant_id AND backlogs.queue = changed.queue
      WHEN MATCHED AND backlogs.jobs + changed.jobs = 0 THEN DELETE
      WHEN MATCHED THEN UPDATE SET jobs = backlogs.jobs + changed.jobs
      WHEN NOT MATCHED AND changed.jobs <> 0 THEN INSERT VALUES (changed.tenant_id, changed.queue, changed.jobs)`.execute(
      tx,
    );
    return Number(numAffectedRows ?? 0n);
  });
}

/**
 * Counts all live jobs anew: now and then, as programs of the version before tell of nothing, and where the sums were lost; `ifLost`: only
 * where nobody has since. Reads every job that lives, by the indexes of the queues, in one snapshot; what is told meanwhile counts from there.
 */
export async function countBacklogs(db: Database, { ifLost = false } = {}): Promise<void> {
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      // The snapshot comes after it: nobody folds what this deletes.
      await sql`LOCK TABLE backlogs IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
      const { rows: counted } = await sql`SELECT FROM backlogs_counted WHERE is_only_row`.execute(tx);
      if (ifLost && counted.length > 0) return;
      await sql`DELETE FROM backlog_changes WHERE told_by >= '0'`.execute(tx);
      await sql`DELETE FROM backlogs WHERE tenant_id >= ${ALL_TENANTS}`.execute(tx);
      await sql`
        /* count-backlogs */ INSERT INTO backlogs (tenant_id, queue, jobs)
        SELECT coalesce(tenant_id, ${ALL_TENANTS}::uuid), queue, count(*) FROM (
          ${sql.join(HOT_TABLES.map(liveIn), sql` UNION ALL `)}) AS live
        GROUP BY GROUPING SETS ((tenant_id, queue), (queue))`.execute(tx);
      await sql`
        INSERT INTO backlogs_counted (told_since) VALUES (${ALL_BEFORE_ENDED})
        ON CONFLICT (is_only_row) DO UPDATE SET told_since = excluded.told_since`.execute(tx);
    });
}

function liveIn(table: HotTable): RawBuilder<unknown> {
  const byQueue = table === 'ready' || table === 'blocked' ? IN_ORDER : OF_QUEUE;
  return sql`
    SELECT tenant_id, name AS queue FROM queues CROSS JOIN LATERAL (
      SELECT tenant_id FROM ${sql.table(table)} WHERE queue = name AND ${byQueue}) AS hot`;
}
