import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { sql } from 'kysely';
import type { JobKind } from './kinds.ts';
import { HEAVY_WEIGHT } from './weigh-tenants.ts';
import { layDownConcurrency, makeTenant } from './world/operate.ts';
import type { World } from './world/world.ts';

/** The queue that is theirs alone. */
export const STEADY_QUEUE = 'weighed';
/** So few of their jobs run at once: 40 a second at most, a fifth of the load, whatever the length of the run. */
export const STEADY_SLOTS = 4;
/** As many as full slots take in ten seconds: longer than a fault keeps clients from submitting while jobs still start. */
const WAITING_A_WEIGHT = 100;
const TENANTS = [
  { kind: 'steadyLight', weight: 1 },
  { kind: 'steadyHeavy', weight: HEAVY_WEIGHT },
] as const satisfies { kind: JobKind; weight: number }[];
/** How many of their jobs wait, all together. */
export const STEADY_WAITING = WAITING_A_WEIGHT * TENANTS.reduce((sum, { weight }) => sum + weight, 0);
const LOOK_EVERY_MS = 500;

export interface SteadyTenants {
  /** Has no more jobs come, and lets those that wait go all at once. */
  stop(): Promise<void>;
}

/**
 * Has two tenants wait in a queue of their own for as long as load and faults last, one with thrice the weight of the other: the
 * checker sees by the times of the handlers who got what. Resolves when both have jobs waiting.
 */
export async function startSteadyTenants(
  world: World,
  submit: (kind: JobKind, apiKey: string) => Promise<string>,
  deadline: AbortSignal,
): Promise<SteadyTenants> {
  await layDownConcurrency(world, `/v1/queues/${STEADY_QUEUE}`, STEADY_SLOTS);
  const tenants = await Promise.all(
    TENANTS.map(async ({ kind, weight }) => ({
      kind,
      wanted: WAITING_A_WEIGHT * weight,
      apiKey: await makeTenant(world, kind, { weight }),
    })),
  );
  const stopped = new AbortController();
  const over = AbortSignal.any([stopped.signal, deadline]);

  async function topUp(): Promise<void> {
    const waiting = await world.ledger.ask(countWaiting);
    const submitted = tenants.flatMap(({ kind, wanted, apiKey }) =>
      Array.from({ length: Math.max(0, wanted - (waiting.get(kind) ?? 0)) }, () => submit(kind, apiKey)),
    );
    await Promise.all(submitted);
  }

  async function keepWaiting(): Promise<void> {
    while (!over.aborted) {
      await topUp();
      await delay(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
    }
  }

  await topUp();
  const kept = keepWaiting().catch((error: unknown) => {
    if (!over.aborted) throw error;
  });
  kept.catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await kept;
      await layDownConcurrency(world, `/v1/queues/${STEADY_QUEUE}`, null);
    },
  };
}

/** Counts what waits in their queue, by the names of the tenants. */
async function countWaiting(db: Database): Promise<Map<string, number>> {
  const { rows } = await sql<{ name: string; waiting: number }>`
    SELECT tenants.name, count(*)::int AS waiting FROM ready JOIN tenants ON tenants.id = tenant_id
    WHERE queue = ${STEADY_QUEUE} GROUP BY tenants.name`.execute(db);
  return new Map(rows.map(({ name, waiting }) => [name, waiting]));
}
