import { jobViewWithoutPayload } from '../job/job-view.ts';
import { deliveryJobs } from '../webhook/event.ts';
import type { Database } from './connect.ts';
import { insertJobs } from './insert-jobs.ts';

/**
 * Writes the webhook deliveries that finished jobs ask for, in the caller's transaction: the outcome and the promise
 * to tell of it are committed together. Ids of jobs that ask for nothing, or are not finished, add nothing.
 */
export async function insertDeliveries(tx: Database, jobIds: string[]): Promise<void> {
  if (jobIds.length === 0) return;
  const rows = await tx.selectFrom('jobs').selectAll().where('id', 'in', jobIds).execute();
  const deliveries = rows.flatMap((row) => deliveryJobs(row, jobViewWithoutPayload(row)));
  if (deliveries.length > 0) await insertJobs(tx, deliveries);
}
