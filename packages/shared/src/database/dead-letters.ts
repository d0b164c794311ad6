import { sql } from 'kysely';
import { type AuditEntry, writeAuditEntries } from './audit-log.ts';
import type { Database } from './connect.ts';

/** Who does something to a dead letter, and what for; both stand in the audit log. */
export interface Act {
  actor: string;
  reason: string;
}

/**
 * Puts the job of an open dead letter back to `queued`, under the same id, in a new replay round with its attempts
 * counted anew; the fencing token goes on growing. Answers the job's queue, or `undefined` when the dead letter is
 * already resolved, so that doing it twice replays once. Throws, and leaves the dead letter open, when there is no
 * failed job to put back.
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
    if (!job) throw new Error(`Dead letter ${deadLetterId} has no failed job that could be replayed`);
    return job.queue;
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
