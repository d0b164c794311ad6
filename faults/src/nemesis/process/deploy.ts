import { waitUntil } from '@accepted/testing/wait-until';
import { findLeaseWithSlowJob } from '../../world/worker-rows.ts';
import type { Node } from '../../world/world.ts';
import type { Fault, Surroundings } from '../fault.ts';

/** A process has 8 s to end in order; what is over that was killed by whoever deploys. */
const ENDS_WITHIN_MS = 9_500;
/** As many that a worker gets one of them, most likely. */
const LONG_JOBS = 6;
const TAKEN_WITHIN_MS = 2_500;

/** Restarts every process in turn with SIGTERM, as a rolling deploy does, the workers in the middle of long jobs. */
export const deploy: Fault = {
  kind: 'rolling-deploy',
  async inject(surroundings) {
    const { workers, apis } = surroundings.world;
    const times: string[] = [];
    for (const node of [...workers, ...apis]) {
      await node.ready();
      if (workers.includes(node)) await occupy(surroundings, node);
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

/** Whether any worker was busy is judged over the whole run: here a busy one may have no place for another job. */
async function occupy({ world, submit }: Surroundings, worker: Node): Promise<void> {
  await Promise.all(Array.from({ length: LONG_JOBS }, () => submit('long')));
  await waitUntil(() => world.ledger.ask((db) => findLeaseWithSlowJob(db, worker.pid)), {
    until: `${worker.name} runs a long job`,
    timeoutMs: TAKEN_WITHIN_MS,
  }).catch(() => undefined);
}
