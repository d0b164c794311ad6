import type { Database } from '../connection/connect.ts';

/** Writes the progress that an attempt reports, if its token still holds the job. `progressJson` is JSON text. */
export async function writeProgress(
  db: Database,
  job: { id: string; attempt: number },
  progressJson: string,
): Promise<void> {
  await db
    .updateTable('in_flight')
    .set((eb) => ({ progress: progressJson, version: eb('version', '+', 1) }))
    .where('job_id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('worker_id', 'is not', null)
    .execute();
}
