import { sql, type Transaction } from 'kysely';
import { jobViewWithoutPayload } from '../../contract/job-view.ts';
import { deliveryJobs } from '../../core/webhook/event.ts';
import type { Ledger } from '../connection/tables.ts';
import { insertJobs } from '../jobs/insert-jobs.ts';
import { jobsOf } from '../jobs/job-key.ts';
import { type JobListRow, LISTED } from '../jobs/shown-job.ts';
import { linkDeliveries } from './webhook-deliveries.ts';

/**
 * Writes the webhook deliveries that finished jobs ask for, in the transaction that ends them. Jobs that ask for nothing
 * add nothing.
 */
export async function insertDeliveries(
  tx: Transaction<Ledger>,
  finished: { jobId: string; tenantId: string }[],
): Promise<void> {
  if (finished.length === 0) return;
  const keys = finished.map(({ jobId, tenantId }) => ({ id: jobId, tenantId }));
  const { rows } = await sql<JobListRow & { result: unknown }>`
    /* read-finished-jobs */ SELECT ${LISTED}, result FROM ${jobsOf(keys)}`.execute(tx);
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
