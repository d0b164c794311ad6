import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CARRIED, carriedFrom } from '@accepted/shared/ledger/jobs/hot-rows';
import { HOT_TABLES } from '@accepted/shared/ledger/jobs/hot-tables';
import { type RawBuilder, sql } from 'kysely';

/** Puts a job that waits into flight, or again, as a dispatcher would that chose no other. */
export async function dispatchOne(
  db: Database,
  id: string,
  buildId: string | null = null,
): Promise<DispatchKey> {
  return await db.transaction().execute(async (tx) => {
    for (const table of HOT_TABLES) {
      const { rows } = await sql<DispatchKey>`
        WITH taken AS (
          DELETE FROM ${sql.table(table)} WHERE job_id = ${id} RETURNING ${carriedFrom(table)})
        INSERT INTO in_flight (${CARRIED}, dispatched_at, build_id)
        SELECT ${carriedFrom('taken', { dispatch_no: sql`taken.dispatch_no + 1` })}, now(), ${buildId} FROM taken
        RETURNING job_id AS id, dispatch_no AS "dispatchNo"`.execute(tx);
      if (rows[0]) return rows[0];
    }
    throw new Error('There is no such job that waits.');
  });
}

/** Makes jobs ready, wherever they are: those that `which` means, a condition on the columns of a hot row. */
export async function makeReady(db: Database, which: RawBuilder<unknown> = sql`true`): Promise<void> {
  for (const table of ['blocked', 'due', 'in_flight'])
    await sql`
      WITH taken AS (DELETE FROM ${sql.table(table)} WHERE ${which} RETURNING ${carriedFrom(table)})
      INSERT INTO ready (${CARRIED}) SELECT ${carriedFrom('taken')} FROM taken`.execute(db);
}

/** Has jobs wait for their time, as they do now or not. */
export async function makeDue(
  db: Database,
  which: RawBuilder<unknown>,
  status: 'scheduled' | 'retrying',
): Promise<void> {
  for (const table of HOT_TABLES)
    await sql`
      WITH taken AS (DELETE FROM ${sql.table(table)} WHERE ${which} RETURNING ${carriedFrom(table)})
      INSERT INTO due (${CARRIED}, status) SELECT ${carriedFrom('taken')}, ${status} FROM taken`.execute(db);
}

/** Changes hot rows where they are. */
export async function changeLive(
  db: Database,
  changes: RawBuilder<unknown>,
  which: RawBuilder<unknown> = sql`true`,
): Promise<void> {
  for (const table of HOT_TABLES)
    await sql`UPDATE ${sql.table(table)} SET ${changes} WHERE ${which}`.execute(db);
}

/** Ends live jobs without an attempt: those that `which` means, a condition on the columns of a hot row. */
export async function finishJobs(
  db: Database,
  {
    which = sql`true`,
    status = 'succeeded',
    finishedAt = sql`now()`,
  }: { which?: RawBuilder<unknown>; status?: string; finishedAt?: RawBuilder<unknown> } = {},
): Promise<void> {
  for (const table of HOT_TABLES)
    await sql`
      WITH ended AS (DELETE FROM ${sql.table(table)} WHERE ${which} RETURNING ${carriedFrom(table)})
      INSERT INTO attempts (tenant_id, job_id, run_at, finished_at, version, attempt, attempts_made, replay_round,
        dispatch_no, revision, losses, suspect, status)
      SELECT tenant_id, job_id, run_at, ${finishedAt}, version + 1, attempt, attempts_made, replay_round, dispatch_no,
        revision, losses, suspect, ${status}
      FROM ended`.execute(db);
}
