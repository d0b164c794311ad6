import { type RawBuilder, sql } from 'kysely';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';

/** What a job is found by: its id alone says neither whose it is, nor where in the key of `jobs` it stands. */
export interface JobKey {
  tenantId: string;
  id: string;
}

/**
 * Builds those of the jobs that there are, as `current_jobs`, each looked up by itself: `OFFSET 0` keeps the planner from
 * joining the keys with a walk through all jobs, which looks as cheap while there are none.
 */
export function jobsOf(keys: JobKey[]): RawBuilder<unknown> {
  return sql`(
    SELECT found.* FROM ${unnestBatch('key', JOB_KEY_COLUMNS, keys)} CROSS JOIN LATERAL (
      SELECT * FROM current_jobs WHERE tenant_id = key.tenant_id AND id = key.id OFFSET 0) AS found) AS current_jobs`;
}

export const JOB_KEY_COLUMNS: BatchColumn<JobKey>[] = [
  { name: 'tenant_id', type: 'uuid', value: ({ tenantId }) => tenantId },
  { name: 'id', type: 'uuid', value: ({ id }) => id },
];
