import { priorityRank } from '@accepted/shared/core/job/priority';
import type { Pool } from 'pg';

export const SLEEP = { type: 'bench.sleep', queue: 'default' } as const;

/** Jobs to be put into the ledger as if they had been submitted. */
export interface TenantsJobs {
  /** Names the tenants; those of one name are the same. */
  of: string;
  tenants: number;
  /** Of all of them together; they take turns to submit. */
  jobs: number;
  /** How long each sleeps. */
  ms: number;
  /** So many of each tenant may be in flight. */
  limit?: number;
}

const CHUNK = 50_000;

/** Writes jobs of many tenants that are ready to be dispatched. */
export async function fillTenants(
  postgres: Pool,
  { of, tenants, jobs, ms, limit }: TenantsJobs,
): Promise<void> {
  for (let first = 0; first < jobs; first += CHUNK) {
    const last = Math.min(first + CHUNK, jobs) - 1;
    await postgres.query(
      `WITH asked AS (
         SELECT uuidv7() AS id, md5($1 || n % $2::int)::uuid AS tenant_id FROM generate_series($3::int, $4::int) AS n OFFSET 0
       ),
       written AS (
         INSERT INTO jobs (id, tenant_id, type, queue, priority, payload, max_attempts, timeout_ms, tags, metadata, run_at,
           concurrency_key, concurrency_limit)
         SELECT id, tenant_id, '${SLEEP.type}', '${SLEEP.queue}', ${priorityRank('normal')}, json_build_object('ms', $5::int), 3,
           120000, '[]', '{}', now(), CASE WHEN $6::int IS NOT NULL THEN 'key' END, $6::int
         FROM asked RETURNING *
       )
       INSERT INTO ready (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
         concurrency_limit, priority, losses, suspect, has_followers, queue, type, concurrency_key, refused_by)
       SELECT tenant_id, id, run_at, 1, 0, 0, 0, 0, 0, concurrency_limit, priority, 0, false, false, queue, type,
         concurrency_key, '{}'
       FROM written`,
      [of, tenants, first, last, ms, limit ?? null],
    );
  }
}

/** Makes tenants of these weights, named as `fillTenants` names those of `of` that are one each. */
export async function addWeighedTenants(
  postgres: Pool,
  weights: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [of, weight] of Object.entries(weights))
    await postgres.query(
      `INSERT INTO tenants (id, name, webhook_secret, weight) VALUES (md5($1 || 0)::uuid, $1, '', $2)`,
      [of, weight],
    );
}
