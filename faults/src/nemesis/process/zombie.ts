import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { waitUntil } from '@accepted/testing/wait-until';
import { findLeaseWithSlowJob, isLeaseLost } from '../../world/worker-rows.ts';
import { LEASE_MS, type Node } from '../../world/world.ts';
import type { Fault, Surroundings } from '../fault.ts';
import { hold, pickReady } from '../targets.ts';

const run = promisify(execFile);
const SLOW_JOBS = 6;
const ROUNDS = 5;
const ROUND_MS = 2_500;
const STOPS_WITHIN_MS = 2_000;

/**
 * SIGSTOP of a worker in the middle of its jobs for longer than its lease, then SIGCONT: it goes on as if nothing had
 * been, with jobs that are somebody else's by now.
 */
export const zombie: Fault = {
  kind: 'worker-zombie',
  async inject(surroundings) {
    const { world, random } = surroundings;
    const worker = await pickReady(world.workers, random);
    const { pid } = worker;
    const lease = await keepBusy(surroundings, worker);
    worker.signal('SIGSTOP');
    try {
      // On a busy machine it takes a moment until each of its threads has stopped.
      const isStopped = async () => (await processState(pid)).startsWith('T');
      await waitUntil(isStopped, { until: `${worker.name} has stopped`, timeoutMs: STOPS_WITHIN_MS });
      await hold(random, LEASE_MS + 1_000, LEASE_MS + 3_000);
      const isLost = () => world.ledger.ask((db) => isLeaseLost(db, lease));
      await waitUntil(isLost, { until: `the lease of ${worker.name} has ended` });
      return { target: worker.name, proof: `pid ${pid} was stopped (state T) until its lease had ended` };
    } finally {
      worker.signal('SIGCONT');
    }
  },
};

/** Submits slow jobs until the worker runs one of them; answers the lease that it holds. */
async function keepBusy({ world, submit }: Surroundings, worker: Node): Promise<string> {
  for (let round = 1; round <= ROUNDS; round += 1) {
    await Promise.all(Array.from({ length: SLOW_JOBS }, () => submit('slow')));
    const lease = await waitUntil(() => world.ledger.ask((db) => findLeaseWithSlowJob(db, worker.pid)), {
      until: `${worker.name} runs a slow job`,
      timeoutMs: ROUND_MS,
    }).catch(() => undefined);
    if (lease) return lease;
  }
  throw new Error(`${worker.name} got none of the slow jobs`);
}

async function processState(pid: number): Promise<string> {
  return (await run('ps', ['-o', 'state=', '-p', String(pid)])).stdout.trim();
}
