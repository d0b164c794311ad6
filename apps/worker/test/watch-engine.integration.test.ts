import { startRedisServer } from '@accepted/testing/redis-server';
import { openTestEngine } from '@accepted/testing/test-engine';
import { commandRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { watchEngine } from '../src/services/watch-engine.ts';

const ROOMY_BYTES = 32 * 2 ** 20;
/** Less than the pieces take, and more than Redis itself. */
const NARROW_BYTES = 4 * 2 ** 20;
const PIECES = 64;
const PIECE_BYTES = 64 * 2 ** 10;

test('a Redis that is full is away although it answers, says that it is full, and is back once there is room', async () => {
  await using redis = await startRedisServer([
    '--maxmemory',
    String(ROOMY_BYTES),
    '--maxmemory-policy',
    'noeviction',
  ]);
  const engine = openTestEngine({ databaseUrl: 'postgres://unused', redisUrl: redis.url });
  await waitUntil(() => engine.isReady(), { until: 'the engine is there' });
  const watch = watchEngine(engine, 20);
  try {
    await waitUntil(() => watch.isUp() && (watch.fullness() ?? 1) < 0.8, { until: 'there is room' });

    const pieces = await fill(redis.url);
    await commandRedis(redis.url, 'CONFIG', 'SET', 'maxmemory', String(NARROW_BYTES));
    await waitUntil(() => !watch.isUp() && watch.fullness() === 1, {
      until: 'it is away, and full',
    });
    expect(await commandRedis(redis.url, 'PING')).toBe('PONG');

    await commandRedis(redis.url, 'DEL', ...pieces);
    await waitUntil(() => watch.isUp() && (watch.fullness() ?? 1) < 0.8, { until: 'it is back' });

    await redis.kill();
    await waitUntil(() => !watch.isUp() && watch.fullness() === undefined, { until: 'nobody knows' });
  } finally {
    await watch.stop();
    await engine.close();
  }
});

async function fill(url: string): Promise<string[]> {
  const names = Array.from({ length: PIECES }, (_, number) => `piece-${number}`);
  for (const name of names) await commandRedis(url, 'SET', name, 'x'.repeat(PIECE_BYTES));
  return names;
}
