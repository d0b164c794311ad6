import type { Fault } from '../fault.ts';
import { pickReady } from '../targets.ts';

/** `kill -9` of an API process with requests under way. */
export const killApi: Fault = {
  kind: 'api-killed',
  async inject({ world, random }) {
    const api = await pickReady(world.apis, random);
    const { pid, signal } = await api.end('SIGKILL');
    return { target: api.name, proof: `pid ${pid} ended by ${signal}` };
  },
};
