import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';
import { newRunId, redisOf, runId } from './run-id.ts';

export const crashRedis: Fault = {
  kind: 'redis-killed-persisted',
  async inject({ world, random }) {
    const redis = redisOf(world);
    const before = await runId(redis);
    await redis.kill();
    const awayMs = await hold(random, 300, 2_500);
    await redis.start();
    return {
      target: 'redis',
      proof: `run id ${before} became ${await newRunId(redis, before)}, away ${awayMs} ms`,
    };
  },
};
