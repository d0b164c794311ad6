import { sql, type Transaction } from 'kysely';
import { type BulkReplayProgress, nextBulkReplayStep } from '../../core/job/bulk-replay.ts';
import { publicId } from '../../core/job/id.ts';
import type { Database } from '../connection/connect.ts';
import type { BulkReplayRow, Ledger } from '../connection/tables.ts';
import { unnestBatch } from '../connection/unnest.ts';
import { writeAuditEntries } from '../tenants/audit-log.ts';
import { auditEntry } from './bulk-replays.ts';
import { putJobsBack, resolveDeadLetters } from './dead-letters.ts';

const BATCH = 500;
/** Replays that were not made in time, as when no worker ran, are not made up for beyond this. */
const BURST_SECONDS = 0.5;
const SHORTEST_STEP_SECONDS = 0.1;
/** How often a bulk replay that waits for its jobs is looked at. */
const SETTLE_SECONDS = 0.5;

/** Lists bulk replays, of all tenants, that somebody should go on with now. */
export async function listDueBulkReplays(db: Database, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('bulk_replays')
    .select('id')
    .where('finished_at', 'is', null)
    .where('next_step_at', '<=', sql<Date>`now()`)
    .orderBy('next_step_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Leaves a bulk replay alone for a while. */
export async function postponeBulkReplay(db: Database, id: string, forMs: number): Promise<void> {
  await db
    .updateTable('bulk_replays')
    .set({ next_step_at: sql<Date>`now() + ${forMs} * interval '1 ms'` })
    .where('id', '=', id)
    .execute();
}

/**
 * Takes the next step of a bulk replay and answers the queues that jobs were put back to. One transaction does it all,
 * under the lock of the bulk replay's row: whoever comes meanwhile finds it locked and leaves it alone, and a process
 * that dies in the middle leaves it as it was. The rate is kept in the row too, by the clock of Postgres.
 */
export function advanceBulkReplay(db: Database, id: string): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const replay = await lockIfDue(tx, id);
    if (!replay) return [];
    if (replay.mustSettle) await settleItems(tx, id);
    const step = nextBulkReplayStep(await readProgress(tx, replay));
    if (step.status === 'stopped' && replay.status !== 'stopped') await auditStop(tx, replay);
    const most = Math.min(step.replay, replay.allowance, BATCH);
    const { queues, replayed } = await replayItems(tx, replay, most);
    const isWaiting = step.replay === 0;
    await tx
      .updateTable('bulk_replays')
      .set({
        status: step.status,
        next_step_at: sql<Date>`now() + ${secondsToNextStep(replay, isWaiting)} * interval '1 s'`,
        ...(replay.mustSettle && { settled_at: sql<Date>`now()` }),
        ...(replayed > 0 && { spent_until: spentUntil(replay, replayed) }),
        ...(step.isFinished && { finished_at: sql<Date>`now()` }),
      })
      .where('id', '=', id)
      .execute();
    return queues;
  });
}

type LockedBulkReplay = BulkReplayRow & { mustSettle: boolean; allowance: number };

async function lockIfDue(tx: Transaction<Ledger>, id: string): Promise<LockedBulkReplay | undefined> {
  const { rows } = await sql<LockedBulkReplay>`
    SELECT *,
      status <> 'running' OR settled_at <= now() - ${SETTLE_SECONDS} * interval '1 s' AS "mustSettle",
      CASE WHEN rate_per_second IS NULL THEN ${BATCH} ELSE
        floor(rate_per_second * (0.000001 + extract(epoch FROM
          now() - greatest(spent_until, now() - greatest(${BURST_SECONDS}, 1 / rate_per_second) * interval '1 s'))::float8
        )) END::int AS allowance
    FROM bulk_replays
    WHERE id = ${id} AND finished_at IS NULL AND next_step_at <= now()
    FOR UPDATE SKIP LOCKED`.execute(tx);
  return rows[0];
}

/** Counts the replays against the rate; time that passed unused is lost but for the burst. */
function spentUntil({ rate_per_second: rate }: BulkReplayRow, replayed: number) {
  if (rate === null) return sql<Date>`spent_until`;
  const burst = Math.max(BURST_SECONDS, 1 / rate);
  return sql<Date>`greatest(spent_until, now() - ${burst} * interval '1 s') + ${replayed / rate} * interval '1 s'`;
}

function secondsToNextStep({ rate_per_second: rate }: BulkReplayRow, isWaiting: boolean): number {
  if (isWaiting) return SETTLE_SECONDS;
  return rate === null ? 0 : Math.max(1 / rate, SHORTEST_STEP_SECONDS);
}

/** Writes down what became of the replayed jobs. One that was replayed again since had failed. */
async function settleItems(tx: Transaction<Ledger>, id: string): Promise<void> {
  await sql`
    UPDATE bulk_replay_items AS item
    SET state = CASE WHEN done.succeeded THEN 'succeeded' ELSE 'failed' END
    FROM (
      SELECT i.dead_letter_id, j.replay_round = i.replay_round AND j.status = 'succeeded' IS TRUE AS succeeded
      FROM bulk_replay_items AS i LEFT JOIN current_jobs AS j ON j.tenant_id = i.tenant_id AND j.id = i.job_id
      WHERE i.bulk_replay_id = ${id} AND i.state = 'replayed'
        AND (j.id IS NULL OR j.replay_round > i.replay_round
          OR j.status IN ('succeeded', 'failed', 'canceled', 'expired'))) AS done
    WHERE item.bulk_replay_id = ${id} AND item.dead_letter_id = done.dead_letter_id`.execute(tx);
}

async function readProgress(tx: Transaction<Ledger>, replay: BulkReplayRow): Promise<BulkReplayProgress> {
  const items = sql`FROM bulk_replay_items WHERE bulk_replay_id = ${replay.id} AND`;
  const { rows } = await sql<Omit<BulkReplayProgress, 'status' | 'canary'>>`
    SELECT EXISTS (SELECT ${items} state = 'pending') AS "hasPending",
      EXISTS (SELECT ${items} state = 'replayed') AS "hasUnfinished",
      EXISTS (SELECT ${items} state = 'failed') AS "hasFailed",
      (SELECT count(*)::int FROM (
        SELECT ${items} state IN ('replayed', 'succeeded', 'failed') LIMIT ${replay.canary}) AS t) AS tried`.execute(
    tx,
  );
  const [progress] = rows;
  if (!progress) throw new Error('The progress of a bulk replay has no row');
  return { status: replay.status, canary: replay.canary, ...progress };
}

/** Replays the oldest pending ones; what somebody else has resolved meanwhile is skipped. */
async function replayItems(
  tx: Transaction<Ledger>,
  replay: BulkReplayRow,
  limit: number,
): Promise<{ queues: string[]; replayed: number }> {
  if (limit <= 0) return { queues: [], replayed: 0 };
  const { rows } = await sql<{ id: string; isOpen: boolean }>`
    SELECT item.dead_letter_id AS id,
      letter.resolution IS NULL AND job.status IS NOT DISTINCT FROM 'failed' AS "isOpen"
    FROM bulk_replay_items AS item
    LEFT JOIN dead_letters AS letter ON letter.id = item.dead_letter_id
    LEFT JOIN current_jobs AS job ON job.tenant_id = letter.tenant_id AND job.id = letter.job_id
    WHERE item.bulk_replay_id = ${replay.id} AND item.state = 'pending'
    ORDER BY item.dead_letter_id LIMIT ${limit}`.execute(tx);
  const open = rows.filter(({ isOpen }) => isOpen).map(({ id }) => id);
  const letters = await resolveDeadLetters(tx, open, 'replayed', {
    actor: replay.actor,
    reason: replay.reason,
    detail: { bulkReplayId: publicId('bulkReplay', replay.id) },
  });
  const jobs = await putJobsBack(
    tx,
    letters.map(({ id }) => id),
  );
  if (jobs.length !== letters.length) throw new Error('A dead letter was resolved whose job is not failed');
  const roundOf = new Map(jobs.map((job) => [job.id, job.replayRound]));
  const replays = letters.map((letter) => ({ ...letter, round: roundOf.get(letter.jobId) }));
  await markItems(
    tx,
    replay.id,
    rows.map(({ id }) => id),
    replays,
  );
  return { queues: [...new Set(jobs.map(({ queue }) => queue))], replayed: letters.length };
}

async function markItems(
  tx: Transaction<Ledger>,
  bulkReplayId: string,
  ids: string[],
  replays: { id: string; jobId: string; round: number | undefined }[],
): Promise<void> {
  const columns = [
    { name: 'id', type: 'uuid', value: ({ id }: (typeof replays)[number]) => id },
    { name: 'job_id', type: 'uuid', value: ({ jobId }: (typeof replays)[number]) => jobId },
    { name: 'round', type: 'integer', value: ({ round }: (typeof replays)[number]) => round },
  ];
  await sql`
    UPDATE bulk_replay_items AS item
    SET state = CASE WHEN replayed.id IS NULL THEN 'skipped' ELSE 'replayed' END,
      job_id = replayed.job_id, replay_round = replayed.round
    FROM unnest(${ids}::uuid[]) AS asked (id)
    LEFT JOIN ${unnestBatch('replayed', columns, replays)} ON replayed.id = asked.id
    WHERE item.bulk_replay_id = ${bulkReplayId} AND item.dead_letter_id = asked.id`.execute(tx);
}

async function auditStop(tx: Transaction<Ledger>, replay: BulkReplayRow): Promise<void> {
  const reason = 'a canary did not succeed';
  await writeAuditEntries(tx, [auditEntry(replay, 'worker', 'bulk_replay.stop', { reason })]);
}
