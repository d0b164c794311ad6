import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { secretsKey } from '@accepted/testing/secrets-key';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase } from '@accepted/testing/test-database';
import { expect, onTestFinished, test } from 'vitest';

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
