import { type RawBuilder, sql } from 'kysely';
import { type BatchColumn, isJobAt, unnestBatch } from '../connection/unnest.ts';

/** What a job is found by: its id alone says neither whose it is, nor where in the key of `jobs` it stands. */
export interface JobKey {
  tenantId: string;
  id: string;
}

/** Builds those of the jobs that there are, as `current_jobs`, each looked up by itself. */
export function jobsOf(keys: JobKey[]): RawBuilder<unknown> {
  return sql`(
    SELECT current_jobs.* FROM ${unnestBatch('key', KEY_COLUMNS, keys)}
    JOIN current_jobs ON ${isJobAt('current_jobs', 'key', 'id')}) AS current_jobs`;
}

const KEY_COLUMNS: BatchColumn<JobKey>[] = [
  { name: 'tenant_id', type: 'uuid', value: ({ tenantId }) => tenantId },
  { name: 'id', type: 'uuid', value: ({ id }) => id },
];
