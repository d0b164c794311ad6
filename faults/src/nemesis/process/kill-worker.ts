import type { Fault } from '../fault.ts';
import { pickReady } from '../targets.ts';

/** `kill -9` of a worker, whatever it is doing. */
export const killWorker: Fault = {
  kind: 'worker-killed',
  async inject({ world, random }) {
    const worker = await pickReady(world.workers, random);
    const { pid, signal } = await worker.end('SIGKILL');
    return { target: worker.name, proof: `pid ${pid} ended by ${signal}` };
  },
};
