import { type Kysely, sql } from 'kysely';

/**
 * Adds builds, what each of them can run, and the lane that a job was dispatched to, so that a job meets only workers
 * that can run it.
 *
 * Ready jobs are found by their type, too, and by the schemas that refuse their payload: those that no live build takes
 * are skipped as one, however many they are. `job_types` stays for workers of the version before, which write it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `CREATE TABLE builds (
     id text PRIMARY KEY,
     registered_at timestamptz NOT NULL DEFAULT now(),
     last_lived_at timestamptz NOT NULL DEFAULT now(),
     lanes_removed_at timestamptz
   )`,
  `CREATE TABLE build_types (
     build_id text NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
     type text NOT NULL,
     queue text NOT NULL REFERENCES queues (name),
     schema_id text NOT NULL,
     payload_schema jsonb NOT NULL,
     result_schema jsonb,
     defaults jsonb NOT NULL,
     PRIMARY KEY (build_id, type)
   )`,
  `ALTER TABLE workers ADD COLUMN build_id text`,
  `ALTER TABLE jobs ADD COLUMN build_id text, ADD COLUMN refused_by text[] NOT NULL DEFAULT '{}'`,
  `CREATE INDEX builds_by_last_life ON builds (last_lived_at)`,
  `CREATE INDEX build_types_by_type ON build_types (type)`,
  `CREATE INDEX jobs_ready_by_type ON jobs (queue, tenant_id, type, refused_by, priority, id)
     WHERE status = 'queued' AND dispatched_at IS NULL`,
  `DROP INDEX jobs_ready`,
];
