import { sql } from 'kysely';
import type { Database } from './connect.ts';
import type { JobTypeDefaults, JobTypeRow } from './tables.ts';

/** Describes a job type as a worker registers it; the schemas are JSON Schema (draft 2020-12). */
export interface JobTypeDescription {
  type: string;
  queue: string;
  payloadSchema: object;
  resultSchema?: object;
  defaults: JobTypeDefaults;
}

/** Writes what this worker can run into the catalog; the newest registration of a type counts. */
export async function registerJobTypes(db: Database, types: JobTypeDescription[]): Promise<void> {
  const queues = [...new Set(types.map((type) => type.queue))].sort();
  const rows = types.map((type) => ({
    type: type.type,
    queue: type.queue,
    payload_schema: JSON.stringify(type.payloadSchema),
    result_schema: type.resultSchema ? JSON.stringify(type.resultSchema) : null,
    defaults: JSON.stringify(type.defaults),
  }));
  rows.sort((a, b) => a.type.localeCompare(b.type));
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('queues')
      .values(queues.map((name) => ({ name })))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    await tx
      .insertInto('job_types')
      .values(rows)
      .onConflict((conflict) =>
        conflict.column('type').doUpdateSet((eb) => ({
          queue: eb.ref('excluded.queue'),
          payload_schema: eb.ref('excluded.payload_schema'),
          result_schema: eb.ref('excluded.result_schema'),
          defaults: eb.ref('excluded.defaults'),
          registered_at: sql<Date>`now()`,
        })),
      )
      .execute();
  });
}

/** Lists the catalog in the order of the types' names. */
export function listJobTypes(db: Database): Promise<JobTypeRow[]> {
  return db.selectFrom('job_types').selectAll().orderBy('type').execute();
}
