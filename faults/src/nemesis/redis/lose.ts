import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '../fault.ts';
import { noteWipe } from '../note-wipe.ts';
import { hold } from '../targets.ts';
import { APPEND_ONLY_FOLDER, newRunId, redisOf, runId } from './run-id.ts';

export const loseRedis: Fault = {
  kind: 'redis-killed-unpersisted',
  async inject({ world, random }) {
    const redis = redisOf(world);
    const before = await runId(redis);
    await noteWipe(world, 'redis-killed-unpersisted');
    await redis.kill();
    await rm(join(redis.folder, APPEND_ONLY_FOLDER), { recursive: true });
    const awayMs = await hold(random, 300, 2_500);
    await redis.start();
    const after = await newRunId(redis, before);
    return {
      target: 'redis',
      proof: `run id ${before} became ${after}, its file was gone, away ${awayMs} ms`,
    };
  },
};
