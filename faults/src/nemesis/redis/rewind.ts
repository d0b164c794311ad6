import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { noteWipe } from '../note-wipe.ts';
import { hold } from '../targets.ts';
import { APPEND_ONLY_FOLDER, redisOf } from './run-id.ts';

const MARKER = 'faults:marker';

/** Puts an older state back, as a restored backup or a late replica that was made the master is. */
export const rewindRedis: Fault = {
  kind: 'redis-back-in-time',
  async inject({ world, random }) {
    const redis = redisOf(world);
    const folder = join(redis.folder, APPEND_ONLY_FOLDER);
    const copy = join(world.folder, 'redis-copy');
    await rm(copy, { recursive: true, force: true });
    await redis.client.del(MARKER);
    // The file is written every second.
    await delay(1_200);
    await cp(folder, copy, { recursive: true });
    await redis.client.set(MARKER, 'later');
    const backMs = await hold(random, 2_000, 4_000);
    await noteWipe(world, 'redis-back-in-time');
    await redis.kill();
    await rm(folder, { recursive: true });
    await cp(copy, folder, { recursive: true });
    await redis.start();
    if ((await redis.client.get(MARKER)) !== null)
      throw new Error('Redis still knew what it had been told later');
    return { target: 'redis', proof: `what it was told in the last ${backMs} ms was gone` };
  },
};
