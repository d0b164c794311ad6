import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** Writes the progress that an attempt reports, if its token still holds the job. `progressJson` is JSON text. */
export async function writeProgress(
  db: Database,
  job: { id: string; attempt: number },
  progressJson: string,
): Promise<void> {
  await db
    .updateTable('jobs')
    .set((eb) => ({ progress: progressJson, version: eb('version', '+', 1) }))
    .where('id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('status', '=', sql.lit('running'))
    .execute();
}
