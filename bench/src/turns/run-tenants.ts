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
import { addWeighedTenants, fillTenants, SLEEP } from './fill-tenants.ts';

const JOBS_DIR = fileURLToPath(new URL('jobs', import.meta.url));
const DRAIN_TIMEOUT_MS = 300_000;
const WAIT_SETTLES_MS = 3_000;

export const ENGINES: readonly { contender: Contender; environment: Record<string, string> }[] = [
  { contender: acceptedRedis, environment: {} },
  { contender: acceptedPostgres, environment: { REDIS_URL: '' } },
];
export type Engine = (typeof ENGINES)[number];

/** Runs `act` on an empty installation. */
async function onEmpty<Value>(
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
const HANDLER_MS = 20;
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
    await pause(WAIT_SETTLES_MS);
    const small = { of: 'small', tenants: SMALL_TENANTS, jobs: SMALL_TENANTS, ms: HANDLER_MS };
    for (const endsAtMs = performance.now() + seconds * 1_000; performance.now() < endsAtMs; ) {
      await fillTenants(stores.postgres, small);
      await stores.postgres.query('SELECT pg_notify($1, $2)', [CHANNELS.queueHasWork, SLEEP.queue]);
      await pause(SUBMIT_EVERY_MS);
    }
    await pause(WAIT_SETTLES_MS);
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

export const WEIGHTS = { one: 1, two: 2, four: 4 } as const;

/** The service that tenants of weights 1, 2 and 4 get while all of them have more to do than there is room for, of seven parts. */
export function serviceByWeight(
  servers: Servers,
  engine: Engine,
  seconds: number,
): Promise<Record<string, number>> {
  return onEmpty(servers, engine, async (stores, startWorker) => {
    await startWorker();
    await addWeighedTenants(stores.postgres, WEIGHTS);
    for (const of of Object.keys(WEIGHTS))
      await fillTenants(stores.postgres, { of, tenants: 1, jobs: 1_000 * seconds, ms: HANDLER_MS });
    await pause(WAIT_SETTLES_MS);
    const before = await readServiceMs(stores.postgres);
    await pause(seconds * 1_000);
    const after = await readServiceMs(stores.postgres);
    const had = Object.keys(WEIGHTS).map((of) => [of, (after[of] ?? 0) - (before[of] ?? 0)] as const);
    const all = had.reduce((sum, [, ms]) => sum + ms, 0);
    const parts = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
    return Object.fromEntries(had.map(([of, ms]) => [of, (ms / all) * parts]));
  });
}

async function readServiceMs(postgres: Pool): Promise<Record<string, number>> {
  const { rows } = await postgres.query(
    `SELECT name, coalesce(sum(extract(epoch FROM finished_at - started_at) * 1000), 0)::float8 AS ms
     FROM tenants LEFT JOIN attempts ON attempts.tenant_id = tenants.id WHERE name = ANY($1) GROUP BY name`,
    [Object.keys(WEIGHTS)],
  );
  return Object.fromEntries(rows.map(({ name, ms }) => [name, ms]));
}
