import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CHANNELS } from '@accepted/shared/ledger/connection/notifications';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import type { Pool } from 'pg';
import { acceptedPostgres, acceptedRedis, startAcceptedWorker } from '../contenders/accepted/accepted.ts';
import type { Contender } from '../contenders/contender.ts';
import { costOf, costPer } from '../cost/path-cost.ts';
import { openRelayedStores } from '../cost/relayed-stores.ts';
import { steadyRate, watchDrain } from '../world/drain.ts';
import type { Servers } from '../world/servers.ts';
import { openStores, type Stores } from '../world/stores.ts';
import { fillTenants, SLEEP } from './fill-tenants.ts';

const JOBS_DIR = fileURLToPath(new URL('jobs', import.meta.url));
const DRAIN_TIMEOUT_MS = 300_000;
export const SETTLE_MS = 3_000;

export const ENGINES: readonly { contender: Contender; environment: Record<string, string> }[] = [
  { contender: acceptedRedis, environment: {} },
  { contender: acceptedPostgres, environment: { REDIS_URL: '' } },
];
export type Engine = (typeof ENGINES)[number];

/** Runs `act` on an empty installation. */
export async function onEmpty<Value>(
  servers: Servers,
  { contender, environment }: Engine,
  act: (stores: Stores, startWorker: (stores?: Stores) => Promise<SpawnedProcess>) => Promise<Value>,
): Promise<Value> {
  await using stack = new AsyncDisposableStack();
  const stores = stack.use(await openStores(servers));
  await contender.prepare(stores);
  const env = { ...environment, JOBS_DIR };
  return await act(stores, async (of = stores) => stack.use(await startAcceptedWorker(of, env)));
}

/** Jobs a second that one worker finishes while so many tenants have them waiting. */
export function rateOfTenants(
  servers: Servers,
  engine: Engine,
  tenants: number,
  jobs: number,
): Promise<number> {
  return onEmpty(servers, engine, async (stores, startWorker) => {
    await fillTenants(stores.postgres, { of: 'many', tenants, jobs, ms: 0 });
    const started = startWorker();
    const seen = await watchDrain({ contender: engine.contender, stores }, DRAIN_TIMEOUT_MS);
    await started;
    return steadyRate(seen);
  });
}

/** Jobs a second that so many workers finish together, of one tenant's that are there when they start. */
export function rateOfWorkers(
  servers: Servers,
  engine: Engine,
  workers: number,
  jobs: number,
): Promise<number> {
  return onEmpty(servers, engine, async (stores, startWorker) => {
    await fillTenants(stores.postgres, { of: 'many', tenants: 1, jobs, ms: 0 });
    const started = Array.from({ length: workers }, () => startWorker());
    const seen = await watchDrain({ contender: engine.contender, stores }, DRAIN_TIMEOUT_MS);
    await Promise.all(started);
    return steadyRate(seen);
  });
}

/** What workers say to the servers in a second while all their handlers run for a minute, and more jobs wait. */
export interface LongJobs {
  workers: number;
  statementsPerSecond: number;
  redisCommandsPerSecond: number;
}

const LONG = { ms: 60_000, settleMs: 10_000 };

export function saidWithLongJobs(
  servers: Servers,
  engine: Engine,
  { workers, seconds }: { workers: number; seconds: number },
): Promise<LongJobs> {
  return onEmpty(servers, engine, async (stores, startWorker) => {
    await using stack = new AsyncDisposableStack();
    const apiSide = stack.use(await openRelayedStores(stores));
    const workerSide = stack.use(await openRelayedStores(stores));
    await fillTenants(stores.postgres, { of: 'long', tenants: 10, jobs: 5_000, ms: LONG.ms });
    const running: SpawnedProcess[] = [];
    for (let count = 0; count < workers; count += 1) running.push(await startWorker(workerSide.stores));
    await pause(LONG.settleMs);
    const cost = await costOf({ stores, apiSide, workerSide }, () => pause(seconds * 1_000));
    // Their jobs would have them wait.
    for (const worker of running) worker.kill('SIGKILL');
    const { workerStatements, redisCommands } = costPer(cost, seconds);
    return { workers, statementsPerSecond: workerStatements, redisCommandsPerSecond: redisCommands };
  });
}

const SMALL_TENANTS = 10;
export const HANDLER_MS = 20;
const SUBMIT_EVERY_MS = 100;

/** How long jobs of ten small tenants wait from the accept to the start (p95), alone or beside one that has submitted 100,000. */
export function waitOfSmallOnes(
  servers: Servers,
  engine: Engine,
  { hogJobs, seconds }: { hogJobs: number; seconds: number },
): Promise<number> {
  return onEmpty(servers, engine, async (stores, startWorker) => {
    await startWorker();
    if (hogJobs > 0)
      await fillTenants(stores.postgres, { of: 'hog', tenants: 1, jobs: hogJobs, ms: HANDLER_MS });
    await pause(SETTLE_MS);
    const small = { of: 'small', tenants: SMALL_TENANTS, jobs: SMALL_TENANTS, ms: HANDLER_MS };
    for (const endsAtMs = performance.now() + seconds * 1_000; performance.now() < endsAtMs; ) {
      await fillTenants(stores.postgres, small);
      await stores.postgres.query('SELECT pg_notify($1, $2)', [CHANNELS.queueHasWork, SLEEP.queue]);
      await pause(SUBMIT_EVERY_MS);
    }
    await pause(SETTLE_MS);
    return await readP95WaitMs(stores.postgres);
  });
}

async function readP95WaitMs(postgres: Pool): Promise<number> {
  const { rows } = await postgres.query(
    `SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - created_at) * 1000)::float8 AS ms
     FROM jobs JOIN attempts ON attempts.tenant_id = jobs.tenant_id AND attempts.job_id = jobs.id
     WHERE jobs.tenant_id IN (SELECT md5('small' || n)::uuid FROM generate_series(0, ${SMALL_TENANTS - 1}) AS n)`,
  );
  return rows[0].ms;
}
