import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Servers } from '../world/servers.ts';
import { addWeighedTenants, fillTenants } from './fill-tenants.ts';
import { type Engine, HANDLER_MS, onEmpty, SETTLE_MS } from './run-tenants.ts';

/** Tenants by name, and their weights. */
export const WEIGHTS = { one: 1, two: 2, four: 4 } as const;
export type Weighed = keyof typeof WEIGHTS;
export const WEIGHED = Object.keys(WEIGHTS) as Weighed[];

/** What tenants of these weights got of a worker's time while all of them had more to do than there was room for. */
export interface ServiceByWeight {
  /** Of seven parts. */
  parts: Record<Weighed, number>;
  /** What each has had by then, of handlers' time. */
  samples: ({ atSeconds: number } & Record<Weighed, number>)[];
}

const PARTS = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
const SAMPLE_EVERY_MS = 250;

export function measureService(servers: Servers, engine: Engine, seconds: number): Promise<ServiceByWeight> {
  return onEmpty(servers, engine, async ({ postgres }, startWorker) => {
    await startWorker();
    await addWeighedTenants(postgres, WEIGHTS);
    for (const of of WEIGHED)
      await fillTenants(postgres, { of, tenants: 1, jobs: 1_000 * seconds, ms: HANDLER_MS });
    await pause(SETTLE_MS);
    const before = await readServiceSeconds(postgres);
    const beganMs = performance.now();
    const samples: ServiceByWeight['samples'] = [];
    while (performance.now() - beganMs < seconds * 1_000) {
      await pause(SAMPLE_EVERY_MS);
      const now = await readServiceSeconds(postgres);
      const had = WEIGHED.map((name) => [name, (now[name] ?? 0) - (before[name] ?? 0)] as const);
      samples.push({
        atSeconds: (performance.now() - beganMs) / 1_000,
        ...(Object.fromEntries(had) as Record<Weighed, number>),
      });
    }
    const last = samples.at(-1);
    const all = WEIGHED.reduce((sum, name) => sum + (last?.[name] ?? 0), 0);
    const parts = WEIGHED.map((name) => [name, ((last?.[name] ?? 0) / all) * PARTS]);
    return { parts: Object.fromEntries(parts), samples };
  });
}

/** The time that handlers had: from the claim on a job may wait for others of its delivery. */
async function readServiceSeconds(postgres: Pool): Promise<Partial<Record<Weighed, number>>> {
  const { rows } = await postgres.query(
    `SELECT name, count(attempts.job_id) * $2::float8 / 1000 AS seconds
     FROM tenants LEFT JOIN attempts ON attempts.tenant_id = tenants.id WHERE name = ANY($1) GROUP BY name`,
    [WEIGHED, HANDLER_MS],
  );
  return Object.fromEntries(rows.map(({ name, seconds }) => [name, seconds]));
}
