import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';
import { isJobAt } from '../connection/unnest.ts';

/**
 * Keeps account of which dead letters Bull Board shows. `mirrored_at` only saves work: a copy that is missing in
 * the engine is made again, whatever became of it, and never says anything about the dead letter itself.
 */

/** A dead letter with everything that is needed to debug it without the original request. */
export type DeadLetterForMirror = Awaited<ReturnType<typeof listUnmirrored>>[number];

/**
 * Reads the newest open dead letters of a queue, or of those newer than one, that Bull Board does not show yet. A
 * payload of more than `maxPayloadBytes` is left out; `payloadBytes` tells its size.
 */
export function listUnmirrored(
  db: Database,
  queue: string,
  {
    limit,
    maxPayloadBytes,
    newerThan,
  }: { limit: number; maxPayloadBytes: number; newerThan?: string | undefined },
) {
  return selectUnmirrored(db, queue, maxPayloadBytes)
    .where(newerThan === undefined ? sql<boolean>`true` : sql<boolean>`d.id > ${newerThan}`)
    .orderBy('d.id', 'desc')
    .limit(limit)
    .execute();
}

function selectUnmirrored(db: Database, queue: string, maxPayloadBytes: number) {
  return db
    .selectFrom('dead_letters as d')
    .innerJoin('current_jobs', (join) => join.on(isJobAt('current_jobs', 'd')))
    .select([
      'd.id',
      'd.job_id as jobId',
      'd.tenant_id as tenantId',
      'd.queue',
      'd.type',
      'd.reason',
      'd.error',
      'd.fingerprint',
      'd.attempt',
      'd.attempts_made as attemptsMade',
      'd.worker_id as workerId',
      'd.versions',
      'd.created_at as createdAt',
      'current_jobs.max_attempts as maxAttempts',
      'current_jobs.replay_round as replayRound',
      'current_jobs.created_at as jobCreatedAt',
      'current_jobs.started_at as startedAt',
      'current_jobs.tags',
      'current_jobs.metadata',
      'current_jobs.request_id as requestId',
      'current_jobs.traceparent',
      sql<number>`octet_length(current_jobs.payload::text)`.as('payloadBytes'),
      sql<unknown>`CASE WHEN octet_length(current_jobs.payload::text) <= ${maxPayloadBytes} THEN current_jobs.payload END`.as(
        'payload',
      ),
    ])
    .where('d.queue', '=', queue)
    .where('d.resolution', 'is', null)
    .where('d.mirrored_at', 'is', null);
}

/** Answers the resolved dead letters of a queue that Bull Board may still show. */
export async function listResolvedMirrored(db: Database, queue: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('dead_letters')
    .select('id')
    .where('queue', '=', queue)
    .where('resolution', 'is not', null)
    .where('mirrored_at', 'is not', null)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Answers, in the order of their ids, open dead letters of a queue after `afterId` that Bull Board should show. */
export async function listMirrored(
  db: Database,
  queue: string,
  afterId: string | undefined,
  limit: number,
): Promise<string[]> {
  let query = db
    .selectFrom('dead_letters')
    .select('id')
    .where('queue', '=', queue)
    .where('resolution', 'is', null)
    .where('mirrored_at', 'is not', null);
  if (afterId !== undefined) query = query.where('id', '>', afterId);
  const rows = await query.orderBy('id').limit(limit).execute();
  return rows.map((row) => row.id);
}

/** Answers those of the ids that Bull Board does not show, as far as the ledger knows. */
export async function selectUnmarked(db: Database, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('dead_letters')
    .select('id')
    .where('id', 'in', ids)
    .where('mirrored_at', 'is', null)
    .execute();
  return rows.map((row) => row.id);
}

/** Says that Bull Board shows these, or no longer does. */
export async function setMirrored(db: Database, ids: string[], isMirrored: boolean): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('dead_letters')
    .set({ mirrored_at: isMirrored ? sql`now()` : null })
    .where('id', 'in', ids)
    .execute();
}

/** Says that Bull Board lost all its copies: every open dead letter is to be shown anew. */
export async function forgetMirror(db: Database): Promise<void> {
  await db
    .updateTable('dead_letters')
    .set({ mirrored_at: null })
    .where('resolution', 'is', null)
    .where('mirrored_at', 'is not', null)
    .execute();
}
