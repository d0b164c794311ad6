import { type Kysely, sql } from 'kysely';

/**
 * Adds what is done to dead letters: who resolved one, payloads that were edited for a replay, bulk replays with the
 * very dead letters that they matched, and the totals that metrics are made of.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `ALTER TABLE dead_letters ADD COLUMN resolved_by text, ADD COLUMN resolved_reason text`,
  `CREATE INDEX dead_letters_by_job ON dead_letters (job_id, id)`,
  `CREATE INDEX dead_letters_open_by_tenant ON dead_letters (tenant_id, id DESC) WHERE resolution IS NULL`,
  `CREATE INDEX dead_letters_shown ON dead_letters (queue, id) WHERE resolution IS NULL AND mirrored_at IS NOT NULL`,
  `CREATE INDEX audit_log_by_tenant ON audit_log (tenant_id, id DESC)`,
  `CREATE TABLE payload_edits (
     job_id uuid NOT NULL,
     replay_round integer NOT NULL,
     tenant_id uuid NOT NULL,
     dead_letter_id uuid NOT NULL,
     payload json NOT NULL,
     actor text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (job_id, replay_round)
   )`,
  `CREATE TABLE bulk_replays (
     id uuid PRIMARY KEY,
     tenant_id uuid NOT NULL,
     actor text NOT NULL,
     reason text NOT NULL,
     selection jsonb NOT NULL,
     rate_per_second float8,
     canary integer NOT NULL,
     status text NOT NULL CHECK (status IN ('canary', 'running', 'completed', 'stopped', 'canceled')),
     matched integer NOT NULL,
     limited boolean NOT NULL,
     spent_until timestamptz NOT NULL DEFAULT now(),
     next_step_at timestamptz NOT NULL DEFAULT now(),
     settled_at timestamptz NOT NULL DEFAULT now(),
     created_at timestamptz NOT NULL DEFAULT now(),
     finished_at timestamptz
   )`,
  `CREATE INDEX bulk_replays_under_way ON bulk_replays (next_step_at) WHERE finished_at IS NULL`,
  `CREATE TABLE bulk_replay_items (
     bulk_replay_id uuid NOT NULL REFERENCES bulk_replays (id) ON DELETE CASCADE,
     dead_letter_id uuid NOT NULL,
     tenant_id uuid NOT NULL,
     state text NOT NULL DEFAULT 'pending'
       CHECK (state IN ('pending', 'skipped', 'replayed', 'succeeded', 'failed')),
     job_id uuid,
     replay_round integer,
     PRIMARY KEY (bulk_replay_id, dead_letter_id)
   )`,
  `CREATE INDEX bulk_replay_items_by_state ON bulk_replay_items (bulk_replay_id, state, dead_letter_id)`,
  `CREATE TABLE counters (
     name text NOT NULL,
     queue text NOT NULL,
     label text NOT NULL,
     total bigint NOT NULL,
     PRIMARY KEY (name, queue, label)
   )`,
];
