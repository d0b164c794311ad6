import { sql } from 'kysely';
import { DEFAULT_BACKOFF } from '../../core/job/backoff.ts';
import type { ClaimedJob } from '../../core/job/claimed-job.ts';
import { HANDLER_EXITED } from '../../core/job/decide-outcome.ts';
import type { DispatchKey } from '../../core/job/dispatch-key.ts';
import type { Database } from '../connection/connect.ts';
import { given, prepared } from '../connection/prepared.ts';
import { arrayOf, isAt, isJobAt, unnestArrays } from '../connection/unnest.ts';

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
  const claimed = new Map<string, ClaimedRow>();
  for (const row of await claim(db, { workerId, dispatches })) claimed.set(row.id, row);
  return dispatches.map(({ id, dispatchNo }) => {
    const row = claimed.get(id);
    if (row?.dispatchNo !== dispatchNo) return undefined;
    // One that was delivered twice is run once.
    claimed.delete(id);
    return toJob(row);
  });
}

/** What nearly all jobs have does not come with each of them. */
type Usual = Pick<ClaimedJob, 'backoff' | 'tags' | 'metadata'>;
type ClaimedRow = Omit<ClaimedJob, keyof Usual> & { dispatchNo: number } & {
  [Name in keyof Usual]: Usual[Name] | null;
};

function toJob(row: ClaimedRow): ClaimedJob {
  const { backoff, tags, metadata } = row;
  return Object.assign(row, {
    backoff: backoff ?? DEFAULT_BACKOFF,
    tags: tags ?? [],
    metadata: metadata ?? {},
  });
}

interface Claim {
  workerId: string;
  dispatches: DispatchKey[];
}

const workerOf = given(({ workerId }: Claim) => workerId);

const claim = prepared<Claim, ClaimedRow>(
  () => sql`
    /* claim-jobs */ WITH claimed AS (
      UPDATE in_flight SET attempt = attempt + 1, attempts_made = attempts_made + 1, worker_id = ${workerOf},
        started_at = now(), version = version + 1
      FROM ${unnestArrays('delivered', DISPATCH_COLUMNS, (column) => given(({ dispatches }: Claim) => arrayOf(column, dispatches)))}
      WHERE ${isAt('in_flight.job_id', 'delivered.id')} AND in_flight.dispatch_no = delivered.no AND in_flight.worker_id IS NULL
        AND (in_flight.expires_at IS NULL OR in_flight.expires_at > now() OR in_flight.attempt > 0)
        AND EXISTS (SELECT FROM workers WHERE id = ${workerOf} AND lost_at IS NULL FOR KEY SHARE)
      RETURNING in_flight.tenant_id, in_flight.job_id, attempt, attempts_made, suspect, has_followers, revision, dispatch_no,
        in_flight.concurrency_key
    )
    SELECT jobs.id, jobs.tenant_id AS "tenantId", jobs.type, jobs.queue, claimed.attempt,
      claimed.attempts_made AS "attemptsMade", jobs.max_attempts AS "maxAttempts",
      jobs.backoff,
      jobs.timeout_ms AS "timeoutMs", claimed.suspect, claimed.suspect AND ${isAccused} AS accused,
      claimed.has_followers AS "hasFollowers", claimed.concurrency_key IS NOT NULL AS "isKeyed",
      CASE WHEN revised.job_id IS NULL THEN jobs.payload ELSE revised.payload END AS payload,
      nullif(jobs.tags, '[]') AS tags, nullif(jobs.metadata, '{}') AS metadata,
      jobs.created_at AS "createdAt", jobs.request_id AS "requestId", jobs.traceparent, jobs.tracestate,
      claimed.dispatch_no AS "dispatchNo"
    FROM claimed JOIN jobs ON ${isJobAt('jobs', 'claimed')}
    LEFT JOIN payload_revisions AS revised ON revised.job_id = claimed.job_id AND revised.revision = claimed.revision`,
);

/**
 * Such an attempt was given back with what became of its process. No `EXISTS`: of that Postgres may make a hash of all
 * attempts.
 */
const isAccused = sql`(SELECT true FROM attempts
  WHERE attempts.tenant_id = jobs.tenant_id AND attempts.job_id = jobs.id AND outcome = 'released'
  AND error ->> 'code' = ${sql.lit(HANDLER_EXITED)} LIMIT 1) IS NOT NULL`;

const DISPATCH_COLUMNS = [
  { name: 'id', type: 'uuid', value: (dispatch: DispatchKey) => dispatch.id },
  { name: 'no', type: 'integer', value: (dispatch: DispatchKey) => dispatch.dispatchNo },
];
