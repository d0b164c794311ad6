import { startRedisServer } from '@accepted/testing/redis-server';
import { openTestEngine } from '@accepted/testing/test-engine';
import { commandRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, test } from 'vitest';
import { watchEngine } from '../src/services/watch-engine.ts';

const MAX_BYTES = 4 * 2 ** 20;
const PIECE = 'x'.repeat(64 * 2 ** 10);

test('a Redis that is full is away although it answers, says that it is full, and is back once there is room', async () => {
  await using redis = await startRedisServer([
    '--maxmemory',
    String(MAX_BYTES),
    '--maxmemory-policy',
    'noeviction',
  ]);
  const engine = openTestEngine({ databaseUrl: 'postgres://unused', redisUrl: redis.url });
  await waitUntil(() => engine.isReady(), { until: 'the engine is there' });
  const watch = watchEngine(engine, 20);
  try {
    await waitUntil(() => watch.isUp() && (watch.fullness() ?? 1) < 0.8, { until: 'there is room' });

    const pieces = await fill(redis.url);
    await waitUntil(() => !watch.isUp() && (watch.fullness() ?? 0) > 0.95, {
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

/** Writes until Redis refuses even a small piece; answers the names of the pieces. */
async function fill(url: string): Promise<string[]> {
  const names: string[] = [];
  for (const piece of [PIECE, 'x'])
    for (let isFull = false; !isFull; ) {
      const name = `piece-${names.length}`;
      isFull = await commandRedis(url, 'SET', name, piece).then(
        () => false,
        () => true,
      );
      if (!isFull) names.push(name);
    }
  return names;
}
