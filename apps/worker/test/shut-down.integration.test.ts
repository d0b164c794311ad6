import { newUuid } from '@accepted/shared/core/job/id';
import { laneName } from '@accepted/shared/engine/names';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { secretsKey } from '@accepted/testing/secrets-key';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useWorkers } from './use-workers.ts';

const SHUTDOWN_TIMEOUT_MS = 2_000;
/** To flush the counters, and for a busy machine. */
const EXIT_MS = 1_500;

test.each<[string, (redis: RedisServer) => void | Promise<void>]>([
  ['stands still', (redis) => redis.freeze()],
  ['is gone', (redis) => redis.kill()],
])('a worker that is told to stop ends in time although Redis %s', async (_how, lose) => {
  const [database, redis] = await Promise.all([createTestDatabase(), startRedisServer()]);
  onTestFinished(async () => {
    redis.thaw();
    await Promise.all([database.drop(), redis[Symbol.asyncDispose]()]);
  });
  await using worker = spawnProcess('apps/worker/src/main.ts', {
    env: {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      SECRETS_KEY: secretsKey,
      SHUTDOWN_TIMEOUT_MS: String(SHUTDOWN_TIMEOUT_MS),
    },
  });
  await worker.waitForLine(/worker started/, 20_000);

  await lose(redis);
  const startedAt = performance.now();
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(SHUTDOWN_TIMEOUT_MS + EXIT_MS);
});

describe('a worker that is told to stop while its claims take long', () => {
  // No lease may end and no time run out while the claims are held, however busy the machine is.
  const workers = useWorkers('redis', { LEASE_MS: 60_000, SHUTDOWN_TIMEOUT_MS: 60_000 });
  const GATE = 42;

  /** Claims wait until the answer is called. */
  async function holdClaims(): Promise<() => Promise<void>> {
    await sql`
      CREATE FUNCTION wait_for_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(${sql.lit(GATE)}); RETURN NEW; END $$`.execute(
      workers.database.db,
    );
    await sql`
      CREATE TRIGGER wait_for_gate BEFORE UPDATE ON in_flight FOR EACH ROW
      WHEN (OLD.worker_id IS NULL AND NEW.worker_id IS NOT NULL) EXECUTE FUNCTION wait_for_gate()`.execute(
      workers.database.db,
    );
    const held = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = workers.database.db.connection().execute(async (db) => {
      await sql`SELECT pg_advisory_lock(${sql.lit(GATE)})`.execute(db);
      locked.resolve();
      await held.promise;
      await sql`SELECT pg_advisory_unlock(${sql.lit(GATE)})`.execute(db);
    });
    await locked.promise;
    return async () => {
      held.resolve();
      await holding;
    };
  }

  test('claims nothing more, and gives what waited for it to others', async () => {
    const { engine, stop } = await workers.start('closing', () => 'done');
    const build = await workers.database.db.selectFrom('builds').select('id').executeTakeFirstOrThrow();
    // Another of the same build keeps the lane, and has no hands to take anything from it.
    const other = { id: newUuid(), hostname: 'test', pid: 1, queues: ['closing'], concurrency: 0 };
    await registerWorker(workers.database.db, { ...other, buildId: build.id });
    await sql`UPDATE workers SET heartbeat_at = now() + interval '1 hour' WHERE id = ${other.id}`.execute(
      workers.database.db,
    );
    const letClaim = await holdClaims();
    const lane = engine.store.queue(laneName({ queue: 'closing', buildId: build.id }));
    const delivered = (count: number) =>
      waitUntil(async () => (await lane.getActiveCount()) === count, { until: `${count} are delivered` });
    const first = await workers.submitOne('closing');
    await delivered(1);
    const second = await workers.submitOne('closing');
    await delivered(2);

    const stopped = stop();
    await letClaim();
    await stopped;
    expect(await workers.readJob(first.id)).toMatchObject({ status: 'succeeded' });
    expect(await workers.readJob(second.id)).toMatchObject({ status: 'queued', dispatched_at: null });
    expect(await workers.attemptsOf(second.id)).toEqual([]);
  });
});
