import { on } from 'node:events';
import { parsePublicId } from '@accepted/shared/job/id';
import { waitUntil } from '@accepted/testing/wait-until';
import type { FaultKind, ProcessLine } from '../../logs.ts';
import { findLeaseOfJob, isLeaseLost } from '../../world/worker-rows.ts';
import type { World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';

const SEEN_WITHIN_MS = 40_000;

/** Makes the fault of a job that ends every worker which runs it. */
export function lethalHandler(
  kind: FaultKind,
  jobKind: 'poison' | 'leaking',
  signals: readonly string[],
): Fault {
  return {
    kind,
    async inject({ world, submit }) {
      const timeout = AbortSignal.timeout(SEEN_WITHIN_MS);
      const exited = exitBy(world, signals, timeout);
      exited.catch(() => undefined);
      const jobId = await submit(jobKind);
      const { name, pid, signal } = await exited;
      return { target: name, proof: `pid ${pid} ended by ${signal} with ${jobId}` };
    },
  };
}

async function exitBy(world: World, signals: readonly string[], abort: AbortSignal): Promise<ProcessLine> {
  for await (const [line] of on(world.events, 'exited', { signal: abort }))
    if (signals.includes(line.signal)) return line;
  throw new Error('there are no more events');
}

/** A job that holds up its worker's event loop until the lease is lost. */
export const blockingHandler: Fault = {
  kind: 'handler-blocks-loop',
  async inject({ world, submit }) {
    const jobId = await submit('blocking');
    const id = parsePublicId('job', jobId) ?? '';
    const lease = await waitUntil(() => world.ledger.ask((db) => findLeaseOfJob(db, id)), {
      until: 'a worker runs the job',
      timeoutMs: SEEN_WITHIN_MS,
    });
    await waitUntil(() => world.ledger.ask((db) => isLeaseLost(db, lease)), {
      until: 'its lease has ended',
      timeoutMs: SEEN_WITHIN_MS,
    });
    return { target: 'a worker', proof: `lease ${lease} ended while its worker ran ${jobId}` };
  },
};
