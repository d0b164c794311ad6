import type { Fault } from '../fault.ts';

/** A process has 8 s to end in order; what is over that was killed by whoever deploys. */
const ENDS_WITHIN_MS = 9_500;

/** Restarts every process in turn with SIGTERM, as a rolling deploy does. */
export const deploy: Fault = {
  kind: 'rolling-deploy',
  async inject({ world }) {
    const times: string[] = [];
    for (const node of [...world.workers, ...world.apis]) {
      await node.ready();
      const started = performance.now();
      const { code, signal } = await node.end('SIGTERM', ENDS_WITHIN_MS);
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      if (code !== 0) throw new Error(`${node.name} ended with ${signal ?? code} after ${seconds} s`);
      times.push(`${node.name} ${seconds} s`);
      await node.ready();
    }
    return { target: 'all processes', proof: `each ended by itself with code 0: ${times.join(', ')}` };
  },
};
