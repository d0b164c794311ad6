import { setTimeout as delay } from 'node:timers/promises';
import { secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { createTestRedis, type TestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FreezablePostgres, startFreezablePostgres } from './freezable-postgres.ts';

const LEASE_MS = 2_000;
const HEARTBEAT_MS = 200;
const SHUTDOWN_TIMEOUT_MS = 2_000;
/** A process that has waited for its deadline flushes its counters, for half a second at most, and exits. */
const EXIT_MS = 1_500;

let postgres: FreezablePostgres;
let redis: TestRedis;
let workers: SpawnedProcess[] = [];

beforeEach(async () => {
  [postgres, redis] = await Promise.all([startFreezablePostgres(), createTestRedis()]);
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  workers = [];
  await Promise.all([postgres[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()]);
});

async function startWorkers(count: number): Promise<void> {
  const env = {
    DATABASE_URL: postgres.database.url,
    REDIS_URL: redis.url,
    SECRETS_KEY: secretsKey,
    LEASE_MS: String(LEASE_MS),
    HEARTBEAT_MS: String(HEARTBEAT_MS),
    SHUTDOWN_TIMEOUT_MS: String(SHUTDOWN_TIMEOUT_MS),
  };
  workers = Array.from({ length: count }, () => spawnProcess('apps/worker/src/main.ts', { env }));
  await Promise.all(workers.map((worker) => worker.waitForLine(/worker started/, 20_000)));
}

/** How many workers hold their lease, and how many were ever declared lost. */
async function leases(): Promise<{ held: number; lost: number } | undefined> {
  const { rows } = await sql<{ held: number; lost: number }>`
    SELECT count(*) FILTER (WHERE lost_at IS NULL AND heartbeat_at > now() - ${2 * HEARTBEAT_MS} * interval '1 ms')::int
        AS held,
      count(*) FILTER (WHERE lost_at IS NOT NULL)::int AS lost
    FROM workers`.execute(postgres.database.db);
  return rows[0];
}

/** Rescuers hold still until their heartbeats have gone through for a lease. */
async function allMayRescue(): Promise<boolean> {
  const { rows } = await sql<{ may: boolean }>`
    SELECT bool_and(steady_since < now() - ${LEASE_MS} * interval '1 ms') AS may FROM workers`.execute(
    postgres.database.db,
  );
  return rows[0]?.may === true;
}

test('no live worker is declared lost after Postgres stood still for longer than the lease', async () => {
  await startWorkers(3);
  for (let round = 1; round <= 2; round++) {
    await waitUntil(allMayRescue, { until: 'no rescuer holds still' });
    await postgres.freeze();
    await delay(LEASE_MS + HEARTBEAT_MS);
    postgres.thaw();
    await waitUntil(async () => (await leases())?.held === 3, { until: 'all three send heartbeats again' });
    expect(await leases()).toEqual({ held: 3, lost: 0 });
  }
});

test('a worker that is killed is declared lost by the others, also after Postgres stood still', async () => {
  await startWorkers(2);
  await postgres.freeze();
  await delay(LEASE_MS);
  postgres.thaw();
  workers[0]?.kill();
  await waitUntil(async () => (await leases())?.lost === 1, { until: 'the killed worker is lost' });
  expect(await leases()).toEqual({ held: 1, lost: 1 });
});

test('a worker that is told to stop ends in time although Postgres stands still', async () => {
  await startWorkers(1);
  const [worker] = workers as [SpawnedProcess];
  await postgres.freeze();
  const startedAt = performance.now();
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(SHUTDOWN_TIMEOUT_MS + EXIT_MS);
});
