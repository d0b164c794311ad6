import { sql } from 'kysely';
import { TERMINAL_STATUSES } from '../job/status.ts';
import type { Database } from './connect.ts';

/**
 * Deletes what is left of jobs in tables without partitions. Each call deletes up to `limit` and answers how many; any
 * number of processes may call at once.
 */

/** Deletes idempotency keys that are over: one whose job is not finished lasts. */
export async function deleteExpiredKeys(db: Database, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM idempotency_keys WHERE (tenant_id, route, key) IN (
      SELECT tenant_id, route, key FROM idempotency_keys AS k
      WHERE expires_at < now() AND NOT EXISTS (
        SELECT FROM jobs WHERE id = k.job_id AND status NOT IN (${sql.join([...TERMINAL_STATUSES])}))
      ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Deletes dead letters that were resolved before the retention and whose jobs are gone, with the payloads that were
 * edited for their replays. One that Bull Board still shows is first taken from there.
 */
export async function deleteResolvedDeadLetters(
  db: Database,
  retentionDays: number,
  limit: number,
): Promise<number> {
  const { rows } = await sql<{ letters: number }>`
    WITH deleted AS (
      DELETE FROM dead_letters WHERE id IN (
        SELECT id FROM dead_letters AS letter
        WHERE resolved_at < now() - ${retentionDays} * interval '1 day' AND mirrored_at IS NULL
          AND NOT EXISTS (SELECT FROM jobs WHERE id = letter.job_id)
        LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id, job_id),
    deleted_edits AS (
      DELETE FROM payload_edits USING deleted
      WHERE payload_edits.job_id = deleted.job_id AND payload_edits.dead_letter_id = deleted.id)
    SELECT count(*)::int AS letters FROM deleted`.execute(db);
  return rows[0]?.letters ?? 0;
}

/** Deletes bulk replays that finished before the retention, with their items. */
export async function deleteFinishedBulkReplays(
  db: Database,
  retentionDays: number,
  limit: number,
): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM bulk_replays WHERE id IN (
      SELECT id FROM bulk_replays WHERE finished_at < now() - ${retentionDays} * interval '1 day'
      LIMIT ${limit} FOR UPDATE SKIP LOCKED)`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
