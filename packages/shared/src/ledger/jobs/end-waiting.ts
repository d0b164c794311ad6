import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Ledger } from '../connection/tables.ts';
import { tellBacklog } from '../limits/backlogs.ts';
import { afterFinish, type Finish, holdJobs } from './after-finish.ts';
import { carriedFrom } from './hot-rows.ts';
import type { HotTable } from './hot-tables.ts';

/**
 * Ends jobs that wait in `table` and that `which`, a condition on its columns, means, without an attempt; answers their
 * ids. What the attempt before says of the job, such as its error, the end says as well.
 */
export async function endWaiting(
  tx: Transaction<Ledger>,
  table: HotTable,
  which: RawBuilder<unknown>,
  status: 'canceled' | 'expired',
): Promise<string[]> {
  await holdJobs(tx);
  const isWaiting = table === 'in_flight' ? sql`AND worker_id IS NULL` : sql``;
  const { rows } = await sql<Finish>`
    WITH ended AS (
      DELETE FROM ${sql.table(table)} WHERE ${which} ${isWaiting} RETURNING ${carriedFrom(table)}
    ),
    written AS (
      INSERT INTO attempts (tenant_id, job_id, run_at, started_at, cancel_requested_at, version, attempt, attempts_made,
        replay_round, dispatch_no, revision, losses, suspect, status, worker_id, error, progress)
      SELECT ended.tenant_id, ended.job_id, ended.run_at, before.started_at,
        ${status === 'canceled' ? sql`now()` : sql`NULL`}, ended.version + 1, ended.attempt, ended.attempts_made,
        ended.replay_round, ended.dispatch_no, ended.revision, ended.losses, ended.suspect, ${sql.lit(status)},
        before.worker_id, CASE WHEN is_of_round AND before.outcome <> 'released' THEN before.error END,
        CASE WHEN is_of_round THEN before.progress END
      FROM ended LEFT JOIN LATERAL (
        SELECT *, replay_round = ended.replay_round AS is_of_round FROM attempts
        WHERE attempts.tenant_id = ended.tenant_id AND attempts.job_id = ended.job_id AND ended.attempt > 0
        ORDER BY version DESC LIMIT 1) AS before ON true
    ),
    counted AS (${tellBacklog(sql`ended`, -1)})
    SELECT job_id AS "jobId", tenant_id AS "tenantId", ${sql.lit(status)} AS status, has_followers AS "hasFollowers"
    FROM ended`.execute(tx);
  await afterFinish(tx, rows);
  return rows.map(({ jobId }) => jobId);
}
