import { sql, type Transaction } from 'kysely';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { DeadLetterRow, Ledger } from '../connection/tables.ts';
import { type EndedAttemptRow, findJob, listAttempts } from '../jobs/read-jobs.ts';
import type { ShownJob } from '../jobs/shown-job.ts';
import { OF_JOB } from './dead-letters-of-job.ts';
import { type DeadLetterFilter, matchesFilter } from './select-dead-letters.ts';

export type ResolutionFilter = 'open' | 'replayed' | 'discarded';

/** A dead letter with what its job knows of where it came from; `null` when the job is gone. */
export type DeadLetterListRow = DeadLetterRow & { request_id: string | null; traceparent: string | null };

/** Lists a tenant's dead letters, newest first, from the one after `afterId` on. */
export function listDeadLetters(
  db: Database,
  tenantId: string,
  { resolution, ...filter }: DeadLetterFilter & { resolution: ResolutionFilter },
  page: { afterId?: string; limit: number },
): Promise<DeadLetterListRow[]> {
  return asTenant(db, tenantId, (tx) => {
    let query = selectWithOrigin(tx, tenantId).where(matchesFilter(filter)).where(isResolved(resolution));
    if (page.afterId) query = query.where('dead_letters.id', '<', page.afterId);
    return query.orderBy('dead_letters.id', 'desc').limit(page.limit).execute();
  });
}

function selectWithOrigin(tx: Transaction<Ledger>, tenantId: string) {
  return tx
    .selectFrom('dead_letters')
    .leftJoin('jobs', (join) =>
      join
        .onRef('jobs.tenant_id', '=', 'dead_letters.tenant_id')
        .onRef('jobs.id', '=', 'dead_letters.job_id'),
    )
    .selectAll('dead_letters')
    .select(['jobs.request_id', 'jobs.traceparent'])
    .where('dead_letters.tenant_id', '=', tenantId);
}

/** Means the index of all dead letters of a tenant (`migrations/0021_indexes_that_are_meant.ts`): it holds for every row. */
const OF_TENANT = sql`CASE WHEN dead_letters.attempt >= 0 THEN true ELSE false END`;

function isResolved(resolution: ResolutionFilter) {
  if (resolution === 'open') return sql<boolean>`dead_letters.resolution IS NULL`;
  return sql<boolean>`dead_letters.resolution = ${resolution} AND ${OF_TENANT}`;
}

/** A replay of the same job: of this dead letter, or of an earlier or later one. */
export interface ReplayRow {
  deadLetterId: string;
  resolvedAt: Date;
  resolvedBy: string | null;
  resolvedReason: string | null;
  /** Whether the payload was changed for it. */
  isEdited: boolean;
}

/** Everything that is known about a dead letter. */
export interface DeadLetterDetails {
  letter: DeadLetterRow;
  /** `undefined` when the job is gone. */
  job: ShownJob | undefined;
  /** The payload that the job died with: a later replay may have changed the job's. */
  payloadJson: string | undefined;
  /** All attempts of the job, of every round. */
  attempts: EndedAttemptRow[];
  /** All replays of the job, the first one first. */
  replays: ReplayRow[];
}

/** Finds a dead letter of this tenant; another tenant's is as if it were not there. */
export function findDeadLetter(
  db: Database,
  tenantId: string,
  id: string,
): Promise<DeadLetterDetails | undefined> {
  return asTenant(
    db,
    tenantId,
    async (tx) => {
      const ofTenant = tx.selectFrom('dead_letters').selectAll().where('tenant_id', '=', tenantId);
      const letter = await ofTenant.where('id', '=', id).executeTakeFirst();
      if (!letter) return undefined;
      const job = await findJob(tx, tenantId, letter.job_id);
      const attempts = await listAttempts(tx, tenantId, letter.job_id);
      const payloadJson = await payloadOfDeath(tx, letter);
      return { letter, job, payloadJson, attempts, replays: await listReplays(tx, letter.job_id) };
    },
    { keepsPlans: true },
  );
}

/** Finds the payload that a job died with; `undefined` when the job is gone. */
async function payloadOfDeath(tx: Transaction<Ledger>, letter: DeadLetterRow): Promise<string | undefined> {
  const { rows } = await sql<{ payloadJson: string }>`
    SELECT CASE WHEN revised.job_id IS NULL THEN jobs.payload ELSE revised.payload END::text AS "payloadJson"
    FROM jobs LEFT JOIN attempts
      ON attempts.tenant_id = jobs.tenant_id AND attempts.job_id = jobs.id AND attempts.dead_letter_id = ${letter.id}
    LEFT JOIN payload_revisions AS revised ON revised.job_id = jobs.id AND revised.revision = attempts.revision
    WHERE jobs.tenant_id = ${letter.tenant_id} AND jobs.id = ${letter.job_id}`.execute(tx);
  return rows[0]?.payloadJson;
}

async function listReplays(tx: Transaction<Ledger>, jobId: string): Promise<ReplayRow[]> {
  const { rows } = await sql<ReplayRow>`
    SELECT id AS "deadLetterId", resolved_at AS "resolvedAt", resolved_by AS "resolvedBy",
      resolved_reason AS "resolvedReason",
      EXISTS (SELECT FROM payload_revisions AS revised
        WHERE revised.job_id = dead_letters.job_id AND revised.dead_letter_id = dead_letters.id) AS "isEdited"
    FROM dead_letters WHERE job_id = ${jobId} AND ${OF_JOB} AND resolution = 'replayed' ORDER BY id`.execute(
    tx,
  );
  return rows;
}

/** Alike dead letters: `newestId` is one to look at. */
export interface DeadLetterGroup {
  fingerprint: string;
  count: number;
  oldestAt: Date;
  newestAt: Date;
  newestId: string;
  queue: string;
  type: string;
  reason: string;
  error: DeadLetterRow['error'];
}

/** Groups a tenant's dead letters by the fingerprint of their error, the group with the newest one first. */
export function listDeadLetterGroups(
  db: Database,
  tenantId: string,
  { resolution, ...filter }: DeadLetterFilter & { resolution: ResolutionFilter },
  page: { afterId?: string; limit: number },
): Promise<DeadLetterGroup[]> {
  return asTenant(db, tenantId, async (tx) => {
    // PostgreSQL has max(uuid) since version 18 only; as text they sort the same.
    const newest = sql`max(dead_letters.id::text)::uuid`;
    const { rows } = await sql<DeadLetterGroup>`
      WITH groups AS (
        SELECT fingerprint, count(*)::int AS count, min(created_at) AS "oldestAt", max(created_at) AS "newestAt",
          ${newest} AS "newestId"
        FROM dead_letters
        WHERE tenant_id = ${tenantId} AND ${isResolved(resolution)} AND ${matchesFilter(filter)}
        GROUP BY fingerprint
        HAVING ${page.afterId === undefined ? sql`true` : sql`${newest} < ${page.afterId}::uuid`}
        ORDER BY "newestId" DESC LIMIT ${page.limit})
      SELECT groups.*, sample.queue, sample.type, sample.reason, sample.error
      FROM groups JOIN dead_letters AS sample ON sample.id = "newestId"
      ORDER BY "newestId" DESC`.execute(tx);
    return rows;
  });
}

/** Open dead letters of a queue are counted up to this many, so that counting stays cheap. */
const MAX_COUNTED = 50_000;

/** Counts the open dead letters of every queue, of all tenants. */
export async function countOpenDeadLetters(db: Database): Promise<{ queue: string; count: number }[]> {
  const { rows } = await sql<{ queue: string; count: number }>`
    SELECT name AS queue,
      (SELECT count(*)::int FROM (
        SELECT FROM dead_letters WHERE queue = queues.name AND resolution IS NULL
        LIMIT ${sql.lit(MAX_COUNTED)}) AS counted) AS count
    FROM queues ORDER BY name`.execute(db);
  return rows;
}
