import { jobViewWithoutPayload } from '../../contract/job-view.ts';
import { deliveryJobs } from '../../core/webhook/event.ts';
import type { Database } from '../connection/connect.ts';
import { insertJobs } from '../jobs/insert-jobs.ts';
import { linkDeliveries } from './webhook-deliveries.ts';

/**
 * Writes the webhook deliveries that finished jobs ask for, in the caller's transaction: the outcome and the promise
 * to tell of it are committed together. Ids of jobs that ask for nothing, or are not finished, add nothing.
 */
export async function insertDeliveries(tx: Database, jobIds: string[]): Promise<void> {
  if (jobIds.length === 0) return;
  const rows = await tx.selectFrom('jobs').selectAll().where('id', 'in', jobIds).execute();
  const made = rows.flatMap((row) =>
    deliveryJobs(row, jobViewWithoutPayload(row)).map((delivery) => ({ row, delivery })),
  );
  if (made.length === 0) return;
  await insertJobs(
    tx,
    made.map(({ delivery }) => delivery),
  );
  await linkDeliveries(
    tx,
    made.map(({ row, delivery }) => ({
      jobId: row.id,
      deliveryId: delivery.id,
      tenantId: row.tenant_id,
      event: `job.${row.status}`,
    })),
  );
}
