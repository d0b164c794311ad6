import type { Fault } from '../fault.ts';
import { redisOf } from './run-id.ts';

export const dropRedisClients: Fault = {
  kind: 'redis-clients-killed',
  async inject({ world }) {
    const killed = Number(
      await redisOf(world).client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    );
    if (killed === 0) throw new Error('there was no client to kill');
    return { target: 'redis', proof: `${killed} connections were closed` };
  },
};
