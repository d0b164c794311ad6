import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { isLive } from '../jobs/live-condition.ts';

/**
 * Deletes what is left of jobs in tables without partitions. Each call deletes up to `limit` and answers how many; any
 * number of processes may call at once.
 */

/** A week is dropped when all of it is older than the retention. */
const LONGEST_AFTER_RETENTION_DAYS = 8;

/** The last key that was looked at. `expiresAt` is as Postgres writes it, to the microsecond. */
export interface KeyPosition {
  expiresAt: string;
  tenantId: string;
  route: string;
  key: string;
}

/**
 * Looks at up to `limit` expired idempotency keys after `after`, and deletes those that are over: one whose job is not
 * finished lasts. Answers how many, and where to go on when there may be more.
 */
export async function deleteExpiredKeys(
  db: Database,
  limit: number,
  after?: KeyPosition,
): Promise<{ deleted: number; next: KeyPosition | undefined }> {
  const { rows } = await sql<KeyPosition & { deleted: number; seen: number }>`
    WITH page AS (
      SELECT tenant_id, route, key, expires_at FROM idempotency_keys
      WHERE expires_at < now() AND ${isBehind(after)}
      ORDER BY expires_at, tenant_id, route, key LIMIT ${limit}),
    ended AS (
      SELECT tenant_id, route, key FROM idempotency_keys AS k
      WHERE (tenant_id, route, key) IN (SELECT tenant_id, route, key FROM page)
        AND expires_at < now() AND NOT ${isLive(sql`k.tenant_id`, sql`k.job_id`)}
      FOR UPDATE SKIP LOCKED),
    deleted AS (
      DELETE FROM idempotency_keys WHERE (tenant_id, route, key) IN (SELECT * FROM ended) RETURNING key)
    SELECT expires_at::text AS "expiresAt", tenant_id AS "tenantId", route, key,
      (SELECT count(*)::int FROM deleted) AS deleted, (SELECT count(*)::int FROM page) AS seen
    FROM page ORDER BY page.expires_at DESC, tenant_id DESC, route DESC, key DESC LIMIT 1`.execute(db);
  const [last] = rows;
  if (!last) return { deleted: 0, next: undefined };
  const { deleted, seen, ...position } = last;
  return { deleted, next: seen < limit ? undefined : position };
}

function isBehind(after: KeyPosition | undefined) {
  if (!after) return sql`true`;
  const { expiresAt, tenantId, route, key } = after;
  // The first comparison is the one that the index understands.
  return sql`expires_at >= ${expiresAt}::timestamptz
    AND (expires_at, tenant_id, route, key) > (${expiresAt}::timestamptz, ${tenantId}::uuid, ${route}, ${key})`;
}

/**
 * Deletes dead letters that were resolved before the retention and whose jobs are gone, with the payloads that
 * their replays brought. One that Bull Board still shows is first taken from there.
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
          AND ${isGone('letter.tenant_id', 'letter.job_id')}
        LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id, job_id),
    deleted_revisions AS (
      DELETE FROM payload_revisions AS revision USING deleted
      WHERE revision.job_id = deleted.job_id AND revision.dead_letter_id = deleted.id)
    SELECT count(*)::int AS letters FROM deleted`.execute(db);
  return rows[0]?.letters ?? 0;
}

/**
 * Deletes what leads from jobs to webhook deliveries that are gone. A delivery may outlive the retention by the week that it
 * was made in, so only then is it looked for: else each of a week would be looked up again and again.
 */
export async function deleteOldDeliveryLinks(
  db: Database,
  retentionDays: number,
  limit: number,
): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM webhook_deliveries WHERE (job_id, delivery_id) IN (
      SELECT job_id, delivery_id FROM webhook_deliveries AS made
      WHERE created_at < now() - ${retentionDays + LONGEST_AFTER_RETENTION_DAYS} * interval '1 day'
        AND ${isGone('made.tenant_id', 'made.delivery_id')}
      LIMIT ${limit} FOR UPDATE SKIP LOCKED)`.execute(db);
  return Number(numAffectedRows ?? 0n);
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

/** No `EXISTS`: that may be planned as a walk through all jobs. */
function isGone(tenantId: string, jobId: string) {
  return sql`(SELECT true FROM jobs WHERE jobs.tenant_id = ${sql.ref(tenantId)} AND jobs.id = ${sql.ref(jobId)}) IS NULL`;
}
