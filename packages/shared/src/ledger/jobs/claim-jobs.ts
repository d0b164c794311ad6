import { sql } from 'kysely';
import type { ClaimedJob } from '../../core/job/claimed-job.ts';
import { HANDLER_EXITED } from '../../core/job/decide-outcome.ts';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { byPrimaryKey, unnestBatch } from '../connection/unnest.ts';

/**
 * Takes the lease of each delivered job for `workerId`; answers in the order given, `undefined` where there is
 * nothing to run: canceled, expired, already taken or done, dispatched anew, or the worker's own lease is lost.
 *
 * The row lock of the update makes sure that of any number of claims of one dispatch exactly one gets the job. The lock
 * on the worker lets heartbeats through, but not the end of its lease: whoever ends it sees every job that was claimed.
 */
export async function claimJobs(
  db: Database,
  workerId: string,
  dispatches: DispatchKey[],
): Promise<(ClaimedJob | undefined)[]> {
  const { rows } = await sql<ClaimedJob & { dispatchNo: number }>`
    /* claim-jobs */ UPDATE jobs SET status = 'running', attempt = attempt + 1, attempts_made = attempts_made + 1,
      worker_id = ${workerId}, started_at = now(), progress = NULL, version = version + 1
    FROM ${unnestBatch('delivered', DISPATCH_COLUMNS, dispatches)}
    WHERE jobs.id = delivered.id AND jobs.dispatch_no = delivered.no
      AND ${isDispatched}
      AND (jobs.expires_at IS NULL OR jobs.expires_at > now() OR jobs.attempt > 0)
      AND EXISTS (SELECT FROM workers WHERE id = ${workerId} AND lost_at IS NULL FOR KEY SHARE)
    RETURNING jobs.id, jobs.tenant_id AS "tenantId", jobs.type, jobs.queue, jobs.attempt,
      jobs.attempts_made AS "attemptsMade", jobs.max_attempts AS "maxAttempts", jobs.backoff,
      jobs.timeout_ms AS "timeoutMs", jobs.suspect, jobs.suspect AND ${isAccused} AS accused, jobs.webhook IS NOT NULL AS "hasWebhook",
      jobs.concurrency_limit IS NOT NULL AS "isLimited", jobs.payload, jobs.tags, jobs.metadata, jobs.created_at AS "createdAt",
      jobs.request_id AS "requestId", jobs.traceparent, jobs.tracestate, jobs.dispatch_no AS "dispatchNo"
  `.execute(db);
  const claimed = new Map(rows.map(({ dispatchNo, ...job }) => [`${job.id}.${dispatchNo}`, job]));
  return dispatches.map((dispatch) => {
    const key = `${dispatch.id}.${dispatch.dispatchNo}`;
    const job = claimed.get(key);
    claimed.delete(key);
    return job;
  });
}

const isDispatched = byPrimaryKey(sql`jobs.status = 'queued' AND jobs.dispatched_at IS NOT NULL`);

/**
 * Such an attempt was given back with what became of its process. No `EXISTS`: of that Postgres may make a hash of all
 * attempts.
 */
const isAccused = sql`(SELECT true FROM attempts WHERE job_id = jobs.id AND outcome = 'released'
  AND error ->> 'code' = ${sql.lit(HANDLER_EXITED)} LIMIT 1) IS NOT NULL`;

const DISPATCH_COLUMNS = [
  { name: 'id', type: 'uuid', value: (dispatch: DispatchKey) => dispatch.id },
  { name: 'no', type: 'integer', value: (dispatch: DispatchKey) => dispatch.dispatchNo },
];
