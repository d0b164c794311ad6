import type { Database } from '@accepted/shared/ledger/connection/connect';
import { waitUntil } from '@accepted/testing/wait-until';
import type { JobKind } from './kinds.ts';
import { makeTenant, operate } from './world/operate.ts';
import type { World } from './world/world.ts';

/** Of each tenant: some times what the windows of the workers hold. */
const JOBS_EACH = 900;
/** Of the heavy tenant, beside the 1 of the light one. */
export const HEAVY_WEIGHT = 3;
const DONE_WITHIN_MS = 60_000;

const TENANTS = [
  { kind: 'weighedLight', weight: 1 },
  { kind: 'weighedHeavy', weight: HEAVY_WEIGHT },
] as const satisfies { kind: JobKind; weight: number }[];

/**
 * When all faults are over, two tenants that are new to the queue have as many jobs to do at once, and one of them thrice the weight:
 * the checker sees by the times of the handlers who got what.
 */
export async function weighTenants(
  world: World,
  submit: (kind: JobKind, apiKey: string) => Promise<string>,
): Promise<void> {
  const keys = new Map<JobKind, string>();
  for (const { kind, weight } of TENANTS) keys.set(kind, await makeTenant(world, kind, { weight }));
  await operate(world, 'POST', '/v1/queues/default/pause');
  try {
    await waitUntil(() => world.ledger.ask(isPausedFor), { until: 'the pause is in force' });
    const submitAll = TENANTS.flatMap(({ kind }) =>
      Array.from({ length: JOBS_EACH }, () => submit(kind, keys.get(kind) ?? '')),
    );
    await Promise.all(submitAll);
  } finally {
    await operate(world, 'POST', '/v1/queues/default/resume');
  }
  await waitUntil(() => world.ledger.ask(isEmpty), { until: 'all have run', timeoutMs: DONE_WITHIN_MS });
}

/** Whether it has been so for as long as any dispatcher takes to hear of it. */
async function isPausedFor(db: Database): Promise<boolean> {
  const row = db.selectFrom('queues').select('name').where('name', '=', 'default');
  const pausedAt = row.where('paused_at', '<', new Date(Date.now() - 1_500));
  return (await pausedAt.executeTakeFirst()) !== undefined;
}

async function isEmpty(db: Database): Promise<boolean> {
  const tables = ['ready', 'blocked', 'in_flight'] as const;
  const rows = await Promise.all(
    tables.map((table) =>
      db.selectFrom(table).select('job_id').where('queue', '=', 'default').limit(1).executeTakeFirst(),
    ),
  );
  return rows.every((row) => row === undefined);
}
