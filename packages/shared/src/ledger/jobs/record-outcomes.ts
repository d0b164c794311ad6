import { sql } from 'kysely';
import type { ClaimedJob } from '../../core/job/claimed-job.ts';
import type { JobError, Outcome } from '../../core/job/decide-outcome.ts';
import { errorFingerprint } from '../../core/job/error-fingerprint.ts';
import { newUuid } from '../../core/job/id.ts';
import type { JobStatus } from '../../core/job/status.ts';
import type { Database } from '../connection/connect.ts';
import type { AttemptOutcome, JobRow } from '../connection/tables.ts';
import { type BatchColumn, byPrimaryKey, unnestBatch } from '../connection/unnest.ts';
import { insertDeliveries } from '../webhooks/insert-deliveries.ts';

/** An attempt that ended, and what was decided about its job. */
export interface EndedAttempt {
  job: Pick<ClaimedJob, 'id' | 'attempt' | 'type' | 'hasWebhook'>;
  outcome: Outcome;
}

/** The job as it stands after its outcome was written, as far as the worker needs it. */
type RecordedJob = Pick<JobRow, 'id' | 'status' | 'queue' | 'webhook'>;

/**
 * Writes outcome, attempt, dead letter and webhook deliveries of a batch, all or nothing, and answers for each
 * attempt, in the order given, the new status, or `fenced` when its token no longer holds the job: then nothing of
 * it was written. A job that somebody asked to cancel is not tried again but canceled, however late the request.
 */
export async function recordOutcomes(
  db: Database,
  ended: EndedAttempt[],
  versions: Record<string, string>,
): Promise<(JobStatus | 'fenced')[]> {
  const rows = ended.some(({ job }) => job.hasWebhook)
    ? await writeOutcomesAndDeliveries(db, ended, versions)
    : await writeOutcomes(db, ended, versions);
  const statusOf = new Map(rows.map((row) => [row.id, row.status]));
  return ended.map(({ job }) => statusOf.get(job.id) ?? 'fenced');
}

function writeOutcomesAndDeliveries(
  db: Database,
  ended: EndedAttempt[],
  versions: Record<string, string>,
): Promise<RecordedJob[]> {
  return db.transaction().execute(async (tx) => {
    const recorded = await writeOutcomes(tx, ended, versions);
    await insertDeliveries(
      tx,
      recorded.filter((row) => row.webhook !== null).map((row) => row.id),
    );
    return recorded;
  });
}

/** Sorted by id, so that two batches that share jobs wait for each other instead of deadlocking. */
async function writeOutcomes(
  db: Database,
  ended: EndedAttempt[],
  versions: Record<string, string>,
): Promise<RecordedJob[]> {
  const sorted = ended.toSorted((a, b) => (a.job.id < b.job.id ? -1 : 1));
  const { rows } = await sql<RecordedJob>`
    /* write-outcomes */ WITH recorded AS (
      UPDATE jobs SET
        status = CASE WHEN ${WAITS_AGAIN} AND jobs.cancel_requested_at IS NOT NULL
          THEN 'canceled' ELSE ended.status END,
        result = ended.result, error = ended.error,
        run_at = coalesce(now() + ended.delay_ms * interval '1 ms', jobs.run_at),
        attempts_made = jobs.attempts_made - ended.attempts_given_back,
        suspect = coalesce(ended.suspect, jobs.suspect), losses = jobs.losses + ended.losses,
        dead_letter_id = coalesce(ended.dead_letter_id, jobs.dead_letter_id),
        finished_at = CASE WHEN ${WAITS_AGAIN} AND jobs.cancel_requested_at IS NULL THEN NULL ELSE now() END,
        dispatched_at = CASE WHEN ${WAITS_AGAIN} AND jobs.cancel_requested_at IS NULL
          THEN NULL ELSE jobs.dispatched_at END,
        refused_by = CASE WHEN ended.refused_by IS NULL OR ended.refused_by = ANY (jobs.refused_by)
          THEN jobs.refused_by ELSE array_append(jobs.refused_by, ended.refused_by) END,
        version = jobs.version + 1
      FROM ${unnestBatch('ended', ENDED_COLUMNS, sorted)}
      WHERE jobs.id = ended.id AND jobs.attempt = ended.attempt AND ${isRunning}
      RETURNING jobs.id, jobs.status, jobs.queue, jobs.webhook, jobs.tenant_id, jobs.type, jobs.attempt,
        jobs.attempts_made, jobs.replay_round, jobs.worker_id, jobs.started_at, ended.attempt_outcome,
        ended.attempt_error, ended.dead_letter_id AS new_dead_letter_id, ended.reason, ended.fingerprint
    ),
    written_attempts AS (
      INSERT INTO attempts (job_id, attempt, replay_round, worker_id, outcome, error, started_at)
      SELECT id, attempt, replay_round, worker_id, attempt_outcome, attempt_error, started_at FROM recorded
    ),
    written_dead_letters AS (
      INSERT INTO dead_letters (id, job_id, tenant_id, queue, type, reason, error, fingerprint, attempt,
        attempts_made, worker_id, versions)
      SELECT new_dead_letter_id, id, tenant_id, queue, type, reason, attempt_error, fingerprint, attempt,
        attempts_made, worker_id, ${JSON.stringify(versions)}::jsonb
      FROM recorded WHERE new_dead_letter_id IS NOT NULL
    )
    SELECT id, status, queue, webhook FROM recorded`.execute(db);
  return rows;
}

const isRunning = byPrimaryKey(sql`jobs.status = 'running'`);

const WAITS_AGAIN = sql`ended.status IN ('queued', 'retrying')`;

const ENDED_COLUMNS: BatchColumn<EndedAttempt>[] = [
  { name: 'id', type: 'uuid', value: ({ job }) => job.id },
  { name: 'attempt', type: 'integer', value: ({ job }) => job.attempt },
  { name: 'status', type: 'text', value: ({ outcome }) => STATUS_AFTER[outcome.kind] },
  { name: 'attempt_outcome', type: 'text', value: ({ outcome }) => attemptOutcome(outcome) },
  {
    name: 'result',
    type: 'json',
    value: ({ outcome }) => (outcome.kind === 'succeed' ? outcome.resultJson : null),
  },
  { name: 'error', type: 'json', value: ({ job, outcome }) => errorJson(outcome, job.attempt) },
  {
    name: 'attempt_error',
    type: 'json',
    value: ({ outcome }) => attemptErrorJson(outcome),
  },
  {
    name: 'delay_ms',
    type: 'float8',
    value: ({ outcome }) => (outcome.kind === 'retry' ? outcome.delayMs : null),
  },
  {
    name: 'attempts_given_back',
    type: 'integer',
    value: ({ outcome }) => (outcome.kind === 'release' ? 1 : 0),
  },
  { name: 'suspect', type: 'boolean', value: ({ outcome }) => suspectAfter(outcome) },
  { name: 'losses', type: 'smallint', value: ({ outcome }) => ('loss' in outcome ? 1 : 0) },
  {
    name: 'refused_by',
    type: 'text',
    value: ({ outcome }) => (outcome.kind === 'release' ? outcome.refusedBy : null),
  },
  {
    name: 'dead_letter_id',
    type: 'uuid',
    value: ({ outcome }) => (outcome.kind === 'deadLetter' ? newUuid() : null),
  },
  {
    name: 'reason',
    type: 'text',
    value: ({ outcome }) => (outcome.kind === 'deadLetter' ? outcome.reason : null),
  },
  {
    name: 'fingerprint',
    type: 'text',
    value: ({ job, outcome }) =>
      outcome.kind === 'deadLetter' ? errorFingerprint(job.type, outcome.error) : null,
  },
];

const STATUS_AFTER: Record<Outcome['kind'], JobStatus> = {
  succeed: 'succeeded',
  retry: 'retrying',
  deadLetter: 'failed',
  cancel: 'canceled',
  release: 'queued',
};

/** Names how an attempt ended, from what was decided about its job. */
export function attemptOutcome(outcome: Outcome): AttemptOutcome {
  if (outcome.kind === 'succeed') return 'succeeded';
  if (outcome.kind === 'cancel') return 'canceled';
  if (outcome.kind === 'release') return 'released';
  return outcomeOfCode(outcome.error);
}

function outcomeOfCode(error: JobError): AttemptOutcome {
  if (error.code === 'timeout') return 'timeout';
  return error.code === 'worker_lost' ? 'worker_lost' : 'failed';
}

/** Answers `null` to leave it as it is. */
function suspectAfter(outcome: Outcome): boolean | null {
  if ('suspect' in outcome) return true;
  return outcome.kind === 'release' ? null : false;
}

function attemptErrorJson(outcome: Outcome): string | null {
  if ('error' in outcome) return JSON.stringify(outcome.error);
  return outcome.kind === 'release' && outcome.loss ? JSON.stringify(outcome.loss) : null;
}

/** Leaves the stack out: clients see this one. */
function errorJson(outcome: Outcome, attempt: number): string | null {
  if (!('error' in outcome)) return null;
  const { code, message, retryable } = outcome.error;
  return JSON.stringify({ code, message, retryable, attempt });
}
