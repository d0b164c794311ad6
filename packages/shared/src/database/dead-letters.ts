import { sql } from 'kysely';
import { type AuditEntry, writeAuditEntries } from './audit-log.ts';
import type { Database } from './connect.ts';

/** A dead letter with everything that is needed to debug it without the original request. */
export interface DeadLetterForMirror {
  id: string;
  jobId: string;
  tenantId: string;
  queue: string;
  type: string;
  reason: string;
  error: { code: string; message: string; retryable: boolean; stack?: string };
  fingerprint: string;
  attempt: number;
  attemptsMade: number;
  workerId: string | null;
  versions: Record<string, string>;
  createdAt: Date;
  payload: unknown;
  tags: string[];
  metadata: Record<string, unknown>;
  requestId: string | null;
  traceparent: string | null;
}

/** Who does something to a dead letter, and what for; both stand in the audit log. */
export interface Act {
  actor: string;
  reason: string;
}

/** Reads the newest open dead letters that are not shown in Bull Board yet. */
export function listUnmirrored(db: Database, limit: number): Promise<DeadLetterForMirror[]> {
  return db
    .selectFrom('dead_letters as d')
    .innerJoin('jobs as j', 'j.id', 'd.job_id')
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
      'j.payload',
      'j.tags',
      'j.metadata',
      'j.request_id as requestId',
      'j.traceparent',
    ])
    .where('d.resolution', 'is', null)
    .where('d.mirrored_at', 'is', null)
    .orderBy('d.id', 'desc')
    .limit(limit)
    .execute();
}

export async function markMirrored(db: Database, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.updateTable('dead_letters').set({ mirrored_at: sql`now()` }).where('id', 'in', ids).execute();
}

/** Says that Bull Board lost its copies: every open dead letter is to be shown anew. */
export async function forgetMirror(db: Database): Promise<void> {
  await db
    .updateTable('dead_letters')
    .set({ mirrored_at: null })
    .where('resolution', 'is', null)
    .where('mirrored_at', 'is not', null)
    .execute();
}

/**
 * Puts the job of an open dead letter back to `queued`, under the same id, in a new replay round with its attempts
 * counted anew; the fencing token goes on growing. Answers the job's queue, or `undefined` when the dead letter is
 * already resolved, so that doing it twice replays once.
 */
export function replayDeadLetter(db: Database, deadLetterId: string, act: Act): Promise<string | undefined> {
  return db.transaction().execute(async (tx) => {
    const letter = await resolve(tx, deadLetterId, 'replayed', act);
    if (!letter) return undefined;
    const job = await tx
      .updateTable('jobs')
      .set((eb) => ({
        status: 'queued',
        attempts_made: 0,
        replay_round: eb('replay_round', '+', 1),
        run_at: sql<Date>`now()`,
        dispatched_at: null,
        expires_at: null,
        finished_at: null,
        cancel_requested_at: null,
        dead_letter_id: null,
        error: null,
        progress: null,
        version: eb('version', '+', 1),
      }))
      .where('id', '=', letter.job_id)
      .where('status', '=', 'failed')
      .returning('queue')
      .executeTakeFirst();
    return job?.queue;
  });
}

/** Closes an open dead letter for good; the job stays `failed`. Answers whether it was still open. */
export function discardDeadLetter(db: Database, deadLetterId: string, act: Act): Promise<boolean> {
  return db
    .transaction()
    .execute(async (tx) => (await resolve(tx, deadLetterId, 'discarded', act)) !== undefined);
}

const ACTION_OF: Record<'replayed' | 'discarded', AuditEntry['action']> = {
  replayed: 'dead_letter.replay',
  discarded: 'dead_letter.discard',
};

/** Resolves an open dead letter and leaves the audit row, both or neither. */
async function resolve(tx: Database, deadLetterId: string, resolution: 'replayed' | 'discarded', act: Act) {
  const letter = await tx
    .updateTable('dead_letters')
    .set({ resolution, resolved_at: sql`now()` })
    .where('id', '=', deadLetterId)
    .where('resolution', 'is', null)
    .returning(['job_id', 'tenant_id'])
    .executeTakeFirst();
  if (!letter) return undefined;
  await writeAuditEntries(tx, [
    {
      tenantId: letter.tenant_id,
      actor: act.actor,
      action: ACTION_OF[resolution],
      target: deadLetterId,
      detail: { jobId: letter.job_id, reason: act.reason },
    },
  ]);
  return letter;
}
