import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { SERVICE_LEASE_MS } from '../src/services/service-leases.ts';
import { useWorkers } from './use-workers.ts';

const workers = useWorkers('redis');
const run = async () => 'done';
const RETRIES = 6;
const BACKOFF_MS = 50;
/** Who hears of no new time looks so often. */
const POLLED_MS = 1_000;

async function holders(): Promise<string[]> {
  const { rows } = await sql<{ holder: string }>`
    SELECT DISTINCT holder FROM services WHERE expires_at > now()`.execute(workers.database.db);
  return rows.map(({ holder }) => holder);
}

/** Starts a worker, and a second one when the first has all services. */
async function startTwo(name: string) {
  const first = await workers.start(name, run);
  const [holder] = await waitUntil(
    async () => ((await holders()).length === 1 ? await holders() : undefined),
    {
      until: 'the first worker has the services',
    },
  );
  const second = await workers.start(name, run);
  return { first, second, holder };
}

async function runsSoon(name: string, withinMs: number): Promise<void> {
  const beganMs = performance.now();
  const job = await workers.submitOne(name);
  await workers.reaches(job.id, 'succeeded');
  expect(performance.now() - beganMs).toBeLessThan(withinMs);
}

test('a worker that ends in order leaves its services to another one at once', async () => {
  const { first, holder } = await startTwo('left');
  await runsSoon('left', 2_000);
  expect(await holders()).toEqual([holder]);
  await first.stop();
  await runsSoon('left', SERVICE_LEASE_MS / 2);
  expect(await holders()).not.toContain(holder);
});

test('the services of a worker that is not heard of any more go to another one when their lease ends', async () => {
  const { first, holder } = await startTwo('silent');
  // As if it hung: it takes nothing, and says nothing any more.
  await first.goDeaf();
  await first.heartbeatDb.destroy();
  await runsSoon('silent', 2 * SERVICE_LEASE_MS);
  await waitUntil(async () => !(await holders()).includes(holder ?? ''), {
    until: 'another has its services',
  });
  await runsSoon('silent', SERVICE_LEASE_MS / 2);
});

test('the dispatcher of a worker that does not reach the engine is left to one that does', async () => {
  const { first, holder } = await startTwo('away');
  await first.engine.close();
  const dispatcher = async () => {
    const { rows } = await sql<{ holder: string }>`
      SELECT holder FROM services WHERE name = 'dispatcher of away'`.execute(workers.database.db);
    return rows[0]?.holder;
  };
  await waitUntil(async () => (await dispatcher()) !== holder, { until: 'another dispatches' });
  await runsSoon('away', SERVICE_LEASE_MS / 2);
});

test('a job is tried again at its time, whichever worker looks after times', async () => {
  await startTwo('times');
  const tried: number[] = [];
  await workers.start('retried', async () => {
    tried.push(performance.now());
    if (tried.length % 2 === 1) throw new Error('not yet');
  });
  const waits: number[] = [];
  while (waits.length < RETRIES) {
    const job = await workers.submitOne('retried', {
      backoff: { type: 'fixed', delayMs: BACKOFF_MS, jitter: 'none' },
    });
    await workers.reaches(job.id, 'succeeded');
    waits.push((tried.at(-1) ?? Number.NaN) - (tried.at(-2) ?? 0));
  }
  expect(Math.max(...waits)).toBeLessThan(BACKOFF_MS + POLLED_MS / 2);
});
