import { sql, type Transaction } from 'kysely';
import type { Ledger } from '../connection/tables.ts';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';

/** A dead letter to be, of a job that has just failed. */
export interface NewDeadLetter {
  id: string;
  jobId: string;
  tenantId: string;
  queue: string;
  type: string;
  reason: string;
  /** `{ code, message, retryable, stack }` of the last attempt. */
  error: unknown;
  /** Groups alike errors. */
  fingerprint: string;
  attempt: number;
  attemptsMade: number;
  workerId: string | null;
  versions: Record<string, string>;
}

/** Writes dead letters, in the transaction that ends their jobs. */
export async function insertDeadLetters(tx: Transaction<Ledger>, letters: NewDeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  await sql`
    /* insert-dead-letters */ INSERT INTO dead_letters (id, job_id, tenant_id, queue, type, reason, error, fingerprint,
      attempt, attempts_made, worker_id, versions)
    SELECT id, job_id, tenant_id, queue, type, reason, error, fingerprint, attempt, attempts_made, worker_id, versions
    FROM ${unnestBatch('letters', COLUMNS, letters)}`.execute(tx);
}

const COLUMNS: BatchColumn<NewDeadLetter>[] = [
  { name: 'id', type: 'uuid', value: ({ id }) => id },
  { name: 'job_id', type: 'uuid', value: ({ jobId }) => jobId },
  { name: 'tenant_id', type: 'uuid', value: ({ tenantId }) => tenantId },
  { name: 'queue', type: 'text', value: ({ queue }) => queue },
  { name: 'type', type: 'text', value: ({ type }) => type },
  { name: 'reason', type: 'text', value: ({ reason }) => reason },
  { name: 'error', type: 'json', value: ({ error }) => JSON.stringify(error) },
  { name: 'fingerprint', type: 'text', value: ({ fingerprint }) => fingerprint },
  { name: 'attempt', type: 'integer', value: ({ attempt }) => attempt },
  { name: 'attempts_made', type: 'integer', value: ({ attemptsMade }) => attemptsMade },
  { name: 'worker_id', type: 'uuid', value: ({ workerId }) => workerId },
  { name: 'versions', type: 'jsonb', value: ({ versions }) => JSON.stringify(versions) },
];
