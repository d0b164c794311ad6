import { on } from 'node:events';
import { parsePublicId } from '@accepted/shared/job/id';
import { isTerminal } from '@accepted/shared/job/status';
import { waitUntil } from '@accepted/testing/wait-until';
import type { FaultKind, ProcessLine } from '../../logs.ts';
import { findLeaseOfJob, isLeaseLost } from '../../world/worker-rows.ts';
import type { World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';

const SEEN_WITHIN_MS = 40_000;
/** Two attempts, each with a lease that has to run out. */
const ENDS_WITHIN_MS = 90_000;

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
      const ticket = {};
      world.lethalJobs.add(ticket);
      const jobId = await submit(jobKind);
      void forgetWhenEnded(world, jobId, ticket);
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

/** From then on an exit is nobody's but the worker's own again. */
async function forgetWhenEnded(world: World, jobId: string, ticket: object): Promise<void> {
  const id = parsePublicId('job', jobId) ?? '';
  const hasEnded = async () => {
    const job = await world.ledger.ask((db) =>
      db.selectFrom('jobs').select('status').where('id', '=', id).executeTakeFirst(),
    );
    return job !== undefined && isTerminal(job.status);
  };
  await waitUntil(hasEnded, { until: 'it has ended', timeoutMs: ENDS_WITHIN_MS, intervalMs: 500 }).catch(
    () => undefined,
  );
  world.lethalJobs.delete(ticket);
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
