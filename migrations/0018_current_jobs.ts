import { type Kysely, sql } from 'kysely';

/**
 * Puts every job together as it stands: what was asked, where it is if it lives, and how its newest attempt ended. An error
 * and a progress hold for the round that they are of. Whoever looks sees the rows that the policies of its tables show.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [currentJobs(['ready']), 'GRANT SELECT ON current_jobs TO accepted_tenant'])
    await sql.raw(statement).execute(db);
}

/** Columns that only a job in flight has, with their types. */
const IN_FLIGHT_TYPES = {
  dispatched_at: 'timestamptz',
  build_id: 'text',
  worker_id: 'uuid',
  started_at: 'timestamptz',
  cancel_requested_at: 'timestamptz',
  progress: 'json',
};

/** Builds the view; `waiting` are the tables of jobs that are queued and not dispatched. */
export const currentJobs = (waiting: string[]) => `
  CREATE VIEW current_jobs WITH (security_invoker = true) AS
  SELECT jobs.id, jobs.tenant_id, jobs.type, jobs.queue, coalesce(live.status, last.status) AS status, jobs.priority,
    CASE WHEN revised.job_id IS NULL THEN jobs.payload ELSE revised.payload END AS payload,
    CASE WHEN live.job_id IS NULL THEN last.result END AS result,
    CASE WHEN last.error IS NOT NULL AND last.outcome IS DISTINCT FROM 'released'
        AND last.replay_round = coalesce(live.replay_round, last.replay_round)
      THEN json_build_object('code', last.error -> 'code', 'message', last.error -> 'message',
        'retryable', last.error -> 'retryable', 'attempt', last.attempt) END AS error,
    CASE WHEN live.worker_id IS NOT NULL THEN live.progress
      WHEN last.replay_round = coalesce(live.replay_round, last.replay_round) THEN last.progress END AS progress,
    coalesce(live.attempt, last.attempt) AS attempt, coalesce(live.attempts_made, last.attempts_made) AS attempts_made,
    jobs.max_attempts, coalesce(live.replay_round, last.replay_round) AS replay_round, jobs.backoff, jobs.timeout_ms,
    coalesce(live.suspect, last.suspect) AS suspect, coalesce(live.losses, last.losses) AS losses,
    coalesce(live.dispatch_no, last.dispatch_no) AS dispatch_no,
    CASE WHEN live.job_id IS NULL THEN last.dispatched_at ELSE live.dispatched_at END AS dispatched_at, CASE WHEN live.job_id IS NULL THEN last.build_id ELSE live.build_id END AS build_id,
    live.refused_by, coalesce(live.worker_id, last.worker_id) AS worker_id, coalesce(live.run_at, last.run_at) AS run_at,
    CASE WHEN live.job_id IS NOT NULL THEN live.expires_at WHEN last.replay_round = 0 THEN jobs.expires_at END AS expires_at,
    CASE WHEN revised.job_id IS NULL THEN jobs.concurrency_key ELSE revised.concurrency_key END AS concurrency_key,
    jobs.concurrency_limit, jobs.tags, jobs.metadata, jobs.webhook, jobs.copy_of,
    CASE WHEN live.job_id IS NULL THEN last.dead_letter_id END AS dead_letter_id, jobs.request_id, jobs.traceparent,
    jobs.tracestate, coalesce(live.version, last.version) AS version, jobs.created_at,
    coalesce(live.started_at, last.started_at) AS started_at,
    CASE WHEN live.job_id IS NULL THEN last.finished_at END AS finished_at,
    CASE WHEN live.job_id IS NULL THEN last.cancel_requested_at ELSE live.cancel_requested_at END AS cancel_requested_at
  FROM jobs
  LEFT JOIN LATERAL (
    ${waiting.map((table) => liveRows(table, `'queued'`)).join(' UNION ALL ')} UNION ALL ${liveRows('due', 'status')} UNION ALL
    ${liveRows('in_flight', `CASE WHEN worker_id IS NULL THEN 'queued' ELSE 'running' END`)}
  ) AS live ON true
  LEFT JOIN LATERAL (
    SELECT * FROM attempts
    WHERE attempts.tenant_id = jobs.tenant_id AND attempts.job_id = jobs.id ORDER BY version DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN payload_revisions AS revised
    ON revised.job_id = jobs.id AND revised.revision = coalesce(live.revision, last.revision)`;

function liveRows(table: string, status: string): string {
  const ofFlight = Object.entries(IN_FLIGHT_TYPES).map(([name, type]) =>
    table === 'in_flight' ? name : `NULL::${type} AS ${name}`,
  );
  return `SELECT job_id, ${status} AS status, run_at, expires_at, version, attempt, attempts_made, replay_round, dispatch_no,
      revision, losses, suspect, refused_by, ${ofFlight.join(', ')}
    FROM ${table} WHERE ${table}.tenant_id = jobs.tenant_id AND ${table}.job_id = jobs.id`;
}
