import { type Kysely, sql } from 'kysely';

/**
 * Lets jobs be listed by the concurrency key that they were submitted with, and by the request id that a client gave. An id
 * that we made up has its time in it, by which its jobs are found without an index; of jobs that are there already nobody
 * knows whose it is, so they are taken for ours.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    'ALTER TABLE jobs ADD COLUMN request_id_given boolean NOT NULL DEFAULT false',
    `CREATE INDEX jobs_by_concurrency_key ON jobs (tenant_id, concurrency_key, id) WHERE concurrency_key IS NOT NULL`,
    'CREATE INDEX jobs_by_request ON jobs (tenant_id, request_id, id) WHERE request_id_given',
  ])
    await sql.raw(statement).execute(db);
}
