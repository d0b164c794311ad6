import { sql, type Transaction } from 'kysely';
import type { ClaimedJob } from '../../core/job/claimed-job.ts';
import type { JobError, Outcome } from '../../core/job/decide-outcome.ts';
import { errorFingerprint } from '../../core/job/error-fingerprint.ts';
import { newUuid } from '../../core/job/id.ts';
import type { JobStatus } from '../../core/job/status.ts';
import type { Database } from '../connection/connect.ts';
import { given, prepared } from '../connection/prepared.ts';
import type { Ledger } from '../connection/tables.ts';
import { arrayOf, type BatchColumn, isAt, unnestArrays } from '../connection/unnest.ts';
import type { NewDeadLetter } from '../dead-letters/insert-dead-letters.ts';
import { tellBacklog } from '../limits/backlogs.ts';
import { afterFinish, type Finish, holdJobs } from './after-finish.ts';
import { CARRIED, carriedFrom } from './hot-rows.ts';
import type { AttemptOutcome } from './jobs-tables.ts';

/** An attempt that ended, and what was decided about its job. */
export interface EndedAttempt {
  job: Pick<ClaimedJob, 'id' | 'attempt' | 'type' | 'hasFollowers'>;
  outcome: Outcome;
  /** How long its handler ran; where nobody knows, or it did not, it counts for nothing. */
  ranMs?: number | undefined;
}

/**
 * Writes the outcomes of a batch, all or nothing, with all that follows from them, and answers for each attempt, in the
 * order given, the new status, or `fenced` when its token no longer holds the job: then nothing of it was written. A job
 * that somebody asked to cancel is not tried again but canceled, however late the request.
 */
export async function recordOutcomes(
  db: Database,
  ended: EndedAttempt[],
  versions: Record<string, string>,
): Promise<(JobStatus | 'fenced')[]> {
  const isFollowed = ended.some(({ job, outcome }) => job.hasFollowers || outcome.kind === 'deadLetter');
  const landed = isFollowed
    ? await db.transaction().execute(async (tx) => {
        await holdJobs(tx);
        const written = await writeOutcomes(tx, ended);
        await doWhatFollows(tx, written, ended, versions);
        return written;
      })
    : await writeOutcomes(db, ended);
  const statusOf = new Map(landed.map(({ jobId, status }) => [jobId, status]));
  return ended.map(({ job }) => statusOf.get(job.id) ?? 'fenced');
}

/** A job that left flight. */
interface Landed extends Pick<Finish, 'jobId' | 'status'> {
  /** What is needed of one with followers, or with a dead letter; `null` for all others. */
  followed: Followed | null;
}

type Followed = Omit<Finish, keyof Landed> &
  Pick<NewDeadLetter, 'queue' | 'type' | 'attempt' | 'attemptsMade' | 'workerId'> & {
    deadLetterId: string | null;
  };

async function doWhatFollows(
  tx: Transaction<Ledger>,
  landed: Landed[],
  ended: EndedAttempt[],
  versions: Record<string, string>,
): Promise<void> {
  const followed = landed.flatMap(({ jobId, status, followed }) =>
    followed ? { ...followed, jobId, status } : [],
  );
  const outcomeOf = new Map(ended.map(({ job, outcome }) => [job.id, outcome]));
  const deadLetters = followed.flatMap(({ deadLetterId, ...job }): NewDeadLetter[] => {
    const outcome = outcomeOf.get(job.jobId);
    if (deadLetterId === null || outcome?.kind !== 'deadLetter') return [];
    const { reason, error } = outcome;
    return [
      { ...job, id: deadLetterId, reason, error, fingerprint: errorFingerprint(job.type, error), versions },
    ];
  });
  await afterFinish(tx, followed, deadLetters);
}

/**
 * Takes the jobs out of flight, writes how their attempts ended, and puts those back that wait again. Sorted by id, so
 * that two batches that share jobs wait for each other instead of deadlocking.
 */
function writeOutcomes(db: Database, ended: EndedAttempt[]): Promise<Landed[]> {
  return write(
    db,
    ended.toSorted((a, b) => (a.job.id < b.job.id ? -1 : 1)),
  );
}

/** Where the breaker that was to hold a job has been closed since, it need not wait. */
const WAIT_MS = sql`CASE WHEN held_by IS NULL OR holding.id IS NOT NULL THEN delay_ms ELSE 0 END`;
const WAITS_AGAIN = sql`ended.decided IN ('queued', 'retrying')`;

const write = prepared<EndedAttempt[], Landed>(
  () => sql`
    /* write-outcomes */ WITH landed AS (
      DELETE FROM in_flight USING ${unnestArrays('ended', ENDED_COLUMNS, (column) => given((sorted: EndedAttempt[]) => arrayOf(column, sorted)))}
      WHERE ${isAt('in_flight.job_id', 'ended.id')} AND in_flight.attempt = ended.token AND in_flight.worker_id IS NOT NULL
      RETURNING ${carriedFrom('in_flight', {
        version: sql`in_flight.version + 1 AS version`,
        attempts_made: sql`in_flight.attempts_made - ended.given_back AS attempts_made`,
        suspect: sql`coalesce(ended.now_suspect, in_flight.suspect) AS suspect`,
        losses: sql`in_flight.losses + ended.lost AS losses`,
        refused_by: sql`CASE WHEN ended.refusal IS NULL OR ended.refusal = ANY (in_flight.refused_by)
          THEN in_flight.refused_by ELSE array_append(in_flight.refused_by, ended.refusal) END AS refused_by`,
      })}, ended.*, in_flight.dispatched_at, in_flight.started_at, in_flight.worker_id, in_flight.build_id, in_flight.cancel_requested_at,
        in_flight.progress, CASE WHEN ${WAITS_AGAIN} AND in_flight.cancel_requested_at IS NOT NULL
          THEN 'canceled' ELSE ended.decided END AS status
    ),
    written AS (
      INSERT INTO attempts (tenant_id, job_id, run_at, dispatched_at, started_at, cancel_requested_at, version, attempt,
        attempts_made, replay_round, dispatch_no, revision, losses, suspect, status, outcome, worker_id, build_id,
        dead_letter_id, error, progress, result, refused_by)
      SELECT tenant_id, job_id, run_at, dispatched_at, started_at, cancel_requested_at, version, attempt, attempts_made,
        replay_round, dispatch_no, revision, losses, suspect, status, outcome, worker_id, build_id, dead_letter_id, error,
        progress, result, nullif(refused_by, '{}')
      FROM landed
    ),
    -- Whoever closes a breaker waits for those who put jobs there, so that it finds them.
    holding AS (SELECT id FROM breakers WHERE id IN (SELECT held_by FROM landed) FOR KEY SHARE),
    retried AS (
      INSERT INTO due (${CARRIED}, status, held_by)
      SELECT ${carriedFrom('landed', { run_at: sql`now() + ${WAIT_MS} * interval '1 ms'` })}, status, holding.id
      FROM landed LEFT JOIN holding ON holding.id = held_by WHERE status = 'retrying'
    ),
    released AS (
      INSERT INTO ready (${CARRIED}) SELECT ${carriedFrom('landed')} FROM landed WHERE status = 'queued'
    ),
    counted AS (${tellBacklog(sql`(SELECT queue, tenant_id FROM landed WHERE status NOT IN ('queued', 'retrying')) AS ended`, -1)})
    SELECT job_id AS "jobId", status, CASE WHEN has_followers OR dead_letter_id IS NOT NULL THEN json_build_object(
      'tenantId', tenant_id, 'hasFollowers', has_followers, 'queue', queue, 'type', type, 'attempt', attempt,
      'attemptsMade', attempts_made, 'workerId', worker_id, 'deadLetterId', dead_letter_id) END AS followed
    FROM landed
    -- The trigger tells it to the dispatcher (migrations/0034_lost_runs.ts).
    WHERE (SELECT set_config('accepted.ran_ms', ${given(ranMsJson)}, true)) IS NOT NULL`,
);

function ranMsJson(ended: EndedAttempt[]): string {
  return JSON.stringify(Object.fromEntries(ended.map(({ job, ranMs }) => [job.id, ranMs ?? null])));
}

/** Named unlike the columns of `in_flight`, but for those that come from here alone. */
const ENDED_COLUMNS: BatchColumn<EndedAttempt>[] = [
  { name: 'id', type: 'uuid', value: ({ job }) => job.id },
  { name: 'token', type: 'integer', value: ({ job }) => job.attempt },
  { name: 'decided', type: 'text', value: ({ outcome }) => STATUS_AFTER[outcome.kind] },
  { name: 'outcome', type: 'text', value: ({ outcome }) => attemptOutcome(outcome) },
  {
    name: 'result',
    type: 'json',
    value: ({ outcome }) => (outcome.kind === 'succeed' ? outcome.resultJson : null),
  },
  { name: 'error', type: 'json', value: ({ outcome }) => errorJson(outcome) },
  {
    name: 'delay_ms',
    type: 'float8',
    value: ({ outcome }) => ('delayMs' in outcome ? outcome.delayMs : null),
  },
  {
    name: 'held_by',
    type: 'text',
    value: ({ outcome }) => (outcome.kind === 'hold' ? outcome.breakerId : null),
  },
  { name: 'given_back', type: 'integer', value: ({ outcome }) => (isGivenBack(outcome) ? 1 : 0) },
  { name: 'now_suspect', type: 'boolean', value: ({ outcome }) => suspectAfter(outcome) },
  { name: 'lost', type: 'smallint', value: ({ outcome }) => ('loss' in outcome ? 1 : 0) },
  {
    name: 'refusal',
    type: 'text',
    value: ({ outcome }) => (outcome.kind === 'release' ? outcome.refusedBy : null),
  },
  {
    name: 'dead_letter_id',
    type: 'uuid',
    value: ({ outcome }) => (outcome.kind === 'deadLetter' ? newUuid() : null),
  },
];

const STATUS_AFTER: Record<Outcome['kind'], JobStatus> = {
  succeed: 'succeeded',
  retry: 'retrying',
  deadLetter: 'failed',
  cancel: 'canceled',
  release: 'queued',
  hold: 'retrying',
};

/** Whether the attempt does not count. */
function isGivenBack({ kind }: Outcome): boolean {
  return kind === 'release' || kind === 'hold';
}

/** Names how an attempt ended, from what was decided about its job. */
export function attemptOutcome(outcome: Outcome): AttemptOutcome {
  if (outcome.kind === 'succeed') return 'succeeded';
  if (outcome.kind === 'cancel') return 'canceled';
  if (outcome.kind === 'release' || outcome.kind === 'hold') return 'released';
  return outcomeOfCode(outcome.error);
}

function outcomeOfCode(error: JobError): AttemptOutcome {
  if (error.code === 'timeout') return 'timeout';
  return error.code === 'worker_lost' ? 'worker_lost' : 'failed';
}

/** Answers `null` to leave it as it is. */
function suspectAfter(outcome: Outcome): boolean | null {
  if ('suspect' in outcome) return true;
  return isGivenBack(outcome) ? null : false;
}

function errorJson(outcome: Outcome): string | null {
  if ('error' in outcome) return JSON.stringify(outcome.error);
  return outcome.kind === 'release' && outcome.loss ? JSON.stringify(outcome.loss) : null;
}
