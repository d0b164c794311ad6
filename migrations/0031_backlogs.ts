import { type Kysely, sql } from 'kysely';

/**
 * Counts the live jobs of each queue and tenant, and bounds them. Whoever takes jobs in or ends them appends how many, in the same
 * transaction, so that no two wait for one row; now and then what was appended is folded into sums. The sums with what was
 * appended since are the count, in one snapshot. None of it need outlast a crash: then `backlogs_counted` is empty too,
 * and all is counted anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const often = 'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000';
  const statements = [
    `ALTER TABLE queues ADD COLUMN max_backlog integer DEFAULT 1000000 CHECK (max_backlog >= 0),
       ADD COLUMN max_backlog_per_tenant integer CHECK (max_backlog_per_tenant >= 0)`,
    'ALTER TABLE tenants ADD COLUMN max_backlog integer CHECK (max_backlog >= 0)',
    'CREATE INDEX tenants_bounded ON tenants (id) WHERE max_backlog IS NOT NULL',
    `CREATE UNLOGGED TABLE backlog_changes (
       told_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
       queue text NOT NULL,
       tenant_ids uuid[] NOT NULL,
       jobs integer[] NOT NULL
     ) WITH (${often})`,
    'CREATE INDEX backlog_changes_told ON backlog_changes (told_by)',
    // The sum of a queue stands under the nil UUID.
    `CREATE UNLOGGED TABLE backlogs (
       tenant_id uuid NOT NULL,
       queue text NOT NULL,
       jobs bigint NOT NULL,
       PRIMARY KEY (tenant_id, queue)
     ) WITH (fillfactor = 50, ${often})`,
    // What transactions before `told_since` told is in the sums: nobody steps over what a long snapshot keeps of it.
    `CREATE UNLOGGED TABLE backlogs_counted (
       is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
       told_since xid8 NOT NULL
     ) WITH (fillfactor = 50)`,
    // A tenant tells of its own jobs, as where it cancels one, and reads nothing of others.
    'ALTER TABLE backlog_changes ENABLE ROW LEVEL SECURITY',
    `CREATE POLICY tenant_isolation ON backlog_changes FOR INSERT TO accepted_tenant
       WITH CHECK (tenant_ids = ARRAY[nullif(current_setting('accepted.tenant_id', true), '')::uuid])`,
    'GRANT INSERT ON backlog_changes TO accepted_tenant',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
