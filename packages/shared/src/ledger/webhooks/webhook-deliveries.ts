import { sql, type Transaction } from 'kysely';
import type { JobStatus } from '../../core/job/status.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';
import type { RecordedError } from '../jobs/jobs-tables.ts';

/** A delivery of a job's webhook, which is a job itself, as it stands now. */
export interface DeliveryRow {
  id: string;
  event: string;
  status: JobStatus;
  /** Counted anew after a replay of the delivery's dead letter. */
  tries: number;
  lastError: RecordedError | null;
}

/** Each replay of a job makes a delivery, so a job can have any number of them; nobody reads more than the last few. */
const MAX_DELIVERIES_OF_JOB = 20;

/** Which job a delivery tells of. */
export interface DeliveryLink {
  jobId: string;
  deliveryId: string;
  tenantId: string;
  event: string;
}

/** Remembers which deliveries belong to which job, in the transaction that makes them. */
export async function linkDeliveries(tx: Transaction<Ledger>, links: DeliveryLink[]): Promise<void> {
  await sql`
    /* link-deliveries */ INSERT INTO webhook_deliveries (job_id, delivery_id, tenant_id, event)
    SELECT job_id, delivery_id, tenant_id, event FROM ${unnestBatch('made', LINK_COLUMNS, links)}`.execute(
    tx,
  );
}

const LINK_COLUMNS: BatchColumn<DeliveryLink>[] = [
  { name: 'job_id', type: 'uuid', value: ({ jobId }) => jobId },
  { name: 'delivery_id', type: 'uuid', value: ({ deliveryId }) => deliveryId },
  { name: 'tenant_id', type: 'uuid', value: ({ tenantId }) => tenantId },
  { name: 'event', type: 'text', value: ({ event }) => event },
];

/**
 * Finds the deliveries of jobs of this tenant by the id of the job, the newest 20 of each and the newest first; one whose
 * retention is over is gone. One statement, however many jobs.
 */
export async function findDeliveries(
  db: Database,
  tenantId: string,
  jobIds: string[],
): Promise<Map<string, DeliveryRow[]>> {
  const { rows } = await asTenant(
    db,
    tenantId,
    (tx) =>
      sql<DeliveryRow & { jobId: string }>`
      /* find-deliveries */ SELECT asked.job_id AS "jobId", delivery.id, made.event, delivery.status,
        delivery.attempts_made AS tries, delivery.error AS "lastError"
      FROM unnest(${jobIds}::uuid[]) AS asked (job_id)
      CROSS JOIN LATERAL (
        SELECT delivery_id, event FROM webhook_deliveries
        WHERE job_id = asked.job_id AND tenant_id = ${tenantId}
        ORDER BY delivery_id DESC LIMIT ${MAX_DELIVERIES_OF_JOB}) AS made
      CROSS JOIN LATERAL (
        -- Looked up one by one: with a plan of its own, which is not to walk through all jobs of the tenant.
        SELECT id, status, attempts_made, error FROM current_jobs
        WHERE tenant_id = ${tenantId} AND id = made.delivery_id OFFSET 0) AS delivery
      ORDER BY made.delivery_id DESC`.execute(tx),
    { keepsPlans: true, isOneRead: true },
  );
  return Map.groupBy(rows, ({ jobId }) => jobId);
}
