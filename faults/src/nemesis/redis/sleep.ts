import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Fault } from '../fault.ts';
import { redisOf } from './run-id.ts';

export const sleepRedis: Fault = {
  kind: 'redis-asleep',
  async inject({ world, random }) {
    const { url, client } = redisOf(world);
    const seconds = random.int(15, 40) / 10;
    const other = new Redis(url);
    await other.ping();
    const asleep = other.call('DEBUG', 'SLEEP', String(seconds));
    const started = performance.now();
    await delay(50);
    await client.ping();
    const tookMs = Math.round(performance.now() - started);
    await asleep;
    other.disconnect();
    if (tookMs < 1_000) throw new Error(`a PING took only ${tookMs} ms`);
    return { target: 'redis', proof: `a PING took ${tookMs} ms` };
  },
};
