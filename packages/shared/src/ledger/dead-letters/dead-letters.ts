import { sql, type Transaction } from 'kysely';
import { publicId } from '../../core/job/id.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { isAt, isJobAt } from '../connection/unnest.ts';
import { CARRIED, carriedFrom } from '../jobs/hot-rows.ts';
import { isLive } from '../jobs/live-condition.ts';
import { tellBacklog } from '../limits/backlogs.ts';
import { type AuditEntry, writeAuditEntries } from '../tenants/audit-log.ts';

/** Who does something to a dead letter, and what for; both stand in the audit log. */
export interface Act {
  actor: string;
  reason: string;
  /** More for the audit log, such as the bulk replay that it is part of. */
  detail?: Record<string, unknown>;
}

type Resolution = 'replayed' | 'discarded';

/**
 * Puts the job of an open dead letter back to `queued`, under the same id, in a new replay round with its attempts
 * counted anew; the fencing token goes on growing. Answers the job's queue, or `undefined` when the dead letter is
 * already resolved, so that doing it twice replays once. Throws, and leaves the dead letter open, when there is no
 * failed job to put back.
 */
export function replayDeadLetter(db: Database, deadLetterId: string, act: Act): Promise<string | undefined> {
  return db.transaction().execute(async (tx) => {
    const [letter] = await resolveDeadLetters(tx, [deadLetterId], 'replayed', act);
    if (!letter) return undefined;
    const [job] = await putJobsBack(tx, [letter.id]);
    if (!job)
      throw new Error(
        `Dead letter ${publicId('deadLetter', deadLetterId)} has no failed job that could be replayed`,
      );
    return job.queue;
  });
}

/** Closes an open dead letter for good; the job stays `failed`. Answers whether it was still open. */
export function discardDeadLetter(db: Database, deadLetterId: string, act: Act): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const discarded = await resolveDeadLetters(tx, [deadLetterId], 'discarded', act);
    return discarded.length > 0;
  });
}

const DISCARD_BATCH = 1_000;

/**
 * Discards the open dead letters of a queue that Bull Board shows, of all tenants, in transactions of 1,000. Those
 * that it does not show stay: nobody could look at what is discarded there.
 */
export async function discardShownDeadLetters(db: Database, queue: string, act: Act): Promise<void> {
  let handled: number;
  do {
    handled = await db.transaction().execute(async (tx) => {
      const shown = await tx
        .selectFrom('dead_letters')
        .select('id')
        .where('queue', '=', queue)
        .where('resolution', 'is', null)
        .where('mirrored_at', 'is not', null)
        .orderBy('id')
        .limit(DISCARD_BATCH)
        .execute();
      const ids = shown.map(({ id }) => id);
      await resolveDeadLetters(tx, ids, 'discarded', act);
      return ids.length;
    });
  } while (handled === DISCARD_BATCH);
}

const ACTION_OF: Record<Resolution, AuditEntry['action']> = {
  replayed: 'dead_letter.replay',
  discarded: 'dead_letter.discard',
};

/**
 * Resolves those of the dead letters that are open and leaves an audit row for each, in the caller's transaction.
 * They are locked in the order of their ids, so that two who resolve many do not wait for each other in a circle.
 */
export async function resolveDeadLetters(
  tx: Transaction<Ledger>,
  ids: string[],
  resolution: Resolution,
  act: Act,
): Promise<{ id: string; jobId: string }[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string; jobId: string; tenantId: string }>`
    UPDATE dead_letters
    SET resolution = ${resolution}, resolved_at = now(), resolved_by = ${act.actor}, resolved_reason = ${act.reason}
    WHERE id IN (
      -- Said so, it means none of the indexes of open ones.
      SELECT id FROM dead_letters WHERE id = ANY(${ids}::uuid[]) AND coalesce(resolution, '') = '' ORDER BY id FOR UPDATE)
    RETURNING id, job_id AS "jobId", tenant_id AS "tenantId"`.execute(tx);
  await writeAuditEntries(
    tx,
    rows.map(({ id, jobId, tenantId }) => ({
      tenantId,
      actor: act.actor,
      action: ACTION_OF[resolution],
      target: publicId('deadLetter', id),
      detail: { jobId: publicId('job', jobId), reason: act.reason, ...act.detail },
    })),
  );
  return rows;
}

export interface JobPutBack {
  id: string;
  queue: string;
  /** The round that begins. */
  replayRound: number;
}

/**
 * Has the failed jobs of these dead letters ready again, in a new replay round; the caller has just resolved the letters,
 * which nobody else can then. `revision` is that of the payload they run with, where a replay brings another. Poison stays
 * suspect: whether it was mended shows in a process of its own.
 */
export async function putJobsBack(
  tx: Transaction<Ledger>,
  deadLetterIds: string[],
  revision?: number,
): Promise<JobPutBack[]> {
  const { rows } = await sql<JobPutBack>`
    /* put-jobs-back */ WITH failed AS (
      SELECT last.*, jobs.queue, jobs.type, jobs.priority, jobs.concurrency_limit, jobs.traceparent,
        jobs.webhook IS NOT NULL AS has_followers,
        CASE WHEN revised.job_id IS NULL THEN jobs.concurrency_key ELSE revised.concurrency_key END AS concurrency_key,
        CASE WHEN revised.revision <> last.revision THEN revised.refused_by ELSE coalesce(last.refused_by, '{}')
          END AS next_refused_by,
        coalesce(revised.revision, 0) AS next_revision
      FROM unnest(${deadLetterIds}::uuid[]) AS asked (id)
      JOIN dead_letters AS letter ON ${isAt('letter.id', 'asked.id')}
      JOIN jobs ON ${isJobAt('jobs', 'letter')}
      CROSS JOIN LATERAL (
        SELECT * FROM attempts WHERE attempts.tenant_id = jobs.tenant_id AND attempts.job_id = jobs.id
        ORDER BY version DESC LIMIT 1) AS last
      LEFT JOIN payload_revisions AS revised
        ON revised.job_id = jobs.id AND revised.revision = coalesce(${revision ?? null}, last.revision)
      WHERE last.dead_letter_id = letter.id AND NOT ${isLive(sql`jobs.tenant_id`, sql`jobs.id`)}
    ),
    put_back AS (
    INSERT INTO ready (${CARRIED})
    SELECT ${carriedFrom('failed', {
      run_at: sql`now()`,
      expires_at: sql`NULL`,
      version: sql`failed.version + 1`,
      attempts_made: sql`0`,
      replay_round: sql`failed.replay_round + 1`,
      revision: sql`failed.next_revision`,
      refused_by: sql`failed.next_refused_by`,
      losses: sql`0`,
    })}
    FROM failed
    RETURNING tenant_id, job_id AS id, queue, replay_round AS "replayRound"
    ),
    counted AS (${tellBacklog(sql`put_back`, 1)})
    SELECT id, queue, "replayRound" FROM put_back`.execute(tx);
  return rows;
}
