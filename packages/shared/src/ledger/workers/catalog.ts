import { sql } from 'kysely';
import type { JobTypeDefaults } from '../../core/job/job-type.ts';
import type { Database } from '../connection/connect.ts';

/** A job type as it is in force. */
export interface CatalogType {
  type: string;
  queue: string;
  /** `null`: a worker of the version before builds registered it. */
  schemaId: string | null;
  payloadSchema: object;
  resultSchema: object | null;
  defaults: JobTypeDefaults;
  registeredAt: Date;
  /** The payload schemas that other live builds have for this type. */
  otherSchemas: { id: string; payloadSchema: object }[];
}

/**
 * Lists the job types in the order of their names, each as the live build has it that first registered most recently. A
 * type that no live build has stays as the build had it that lived last: its jobs are accepted, and wait.
 */
export async function listCatalog(db: Database): Promise<CatalogType[]> {
  const { rows } = await sql<CatalogType>`
    WITH live AS MATERIALIZED (
      SELECT DISTINCT build_id FROM workers WHERE lost_at IS NULL AND draining_at IS NULL
    ),
    registered AS MATERIALIZED (
      SELECT t.type, t.queue, t.schema_id, t.payload_schema, t.result_schema, t.defaults, b.registered_at,
        b.last_lived_at, EXISTS (SELECT FROM live WHERE live.build_id = b.id) AS is_live
      FROM build_types t JOIN builds b ON b.id = t.build_id
      UNION ALL
      SELECT type, queue, NULL, payload_schema, result_schema, defaults, registered_at, registered_at,
        EXISTS (SELECT FROM live WHERE live.build_id IS NULL)
      FROM job_types
    ),
    in_force AS (
      SELECT DISTINCT ON (type) * FROM registered
      ORDER BY type, is_live DESC, CASE WHEN is_live THEN registered_at ELSE last_lived_at END DESC, schema_id
    )
    SELECT type, queue, schema_id AS "schemaId", payload_schema AS "payloadSchema", result_schema AS "resultSchema",
      defaults, registered_at AS "registeredAt",
      coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', other.schema_id, 'payloadSchema', other.payload_schema))
        FROM (SELECT DISTINCT ON (schema_id) schema_id, payload_schema FROM registered
              WHERE registered.type = in_force.type AND is_live
                AND registered.schema_id <> coalesce(in_force.schema_id, '')) AS other
      ), '[]') AS "otherSchemas"
    FROM in_force ORDER BY type`.execute(db);
  return rows;
}
