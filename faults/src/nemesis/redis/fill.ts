import { waitUntil } from '@accepted/testing/wait-until';
import type { Redis } from 'ioredis';
import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';
import { redisOf } from './run-id.ts';

const PROBE = 'faults:probe';

export const fillRedis: Fault = {
  kind: 'redis-full',
  async inject({ world, random }) {
    const { client } = redisOf(world);
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
    await client.config('SET', 'maxmemory', String(used));
    try {
      const refusal = await waitUntil(() => refusedWrite(client), { until: 'Redis refuses a write' });
      await hold(random, 2_000, 4_000);
      return { target: 'redis', proof: refusal };
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
  },
};

async function refusedWrite(client: Redis): Promise<string | undefined> {
  return await client.set(PROBE, 'x'.repeat(1_000_000)).then(
    () => undefined,
    (error: Error) => error.message,
  );
}
