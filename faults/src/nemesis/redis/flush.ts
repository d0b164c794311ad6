import type { Fault } from '../fault.ts';
import { noteWipe } from '../note-wipe.ts';
import { redisOf } from './run-id.ts';

export const flushRedis: Fault = {
  kind: 'redis-flushed',
  async inject({ world }) {
    const { client } = redisOf(world);
    await noteWipe(world, 'redis-flushed');
    const results = await client.multi().flushall().dbsize().exec();
    const left = results?.[1]?.[1];
    if (left !== 0) throw new Error(`${left} keys were left`);
    return { target: 'redis', proof: 'no key was left' };
  },
};
