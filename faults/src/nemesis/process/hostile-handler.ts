import { on } from 'node:events';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { waitUntil } from '@accepted/testing/wait-until';
import type { FaultKind } from '../../kinds.ts';
import type { ProcessLine } from '../../logs.ts';
import { findLeaseOfJob, isLeaseLost } from '../../world/worker-rows.ts';
import type { World } from '../../world/world.ts';
import type { Fault, Surroundings } from '../fault.ts';

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
      const exited = exitOf(world, ({ signal }) => signals.includes(signal ?? ''), timeout);
      exited.catch(() => undefined);
      const jobId = await submit(jobKind);
      const { name, pid, signal } = await exited;
      return { target: name, proof: `pid ${pid} ended by ${signal} with ${jobId}` };
    },
  };
}

/** Resolves with the next end of a process that is such as is asked for. */
export async function exitOf(
  world: World,
  isSuch: (line: ProcessLine) => boolean,
  abort: AbortSignal,
): Promise<ProcessLine> {
  for await (const [line] of on(world.events, 'exited', { signal: abort })) if (isSuch(line)) return line;
  throw new Error('there are no more events');
}

const TRIES = 3;

/** A job that holds up its worker's event loop until the lease is lost. */
export const blockingHandler: Fault = {
  kind: 'handler-blocks-loop',
  async inject(surroundings) {
    for (let left = TRIES; left > 0; left -= 1) {
      const proof = await blockOnce(surroundings);
      if (proof) return { target: 'a worker', proof };
    }
    throw new Error('no lease ended while its worker was blocked');
  },
};

/** Nobody ends the lease while all other workers have only just started; then the job ends before the lease does. */
async function blockOnce({ world, submit }: Surroundings): Promise<string | undefined> {
  const jobId = await submit('blocking');
  const id = parsePublicId('job', jobId) ?? '';
  const lease = await waitUntil(() => world.ledger.ask((db) => findLeaseOfJob(db, id)), {
    until: 'a worker runs the job',
    timeoutMs: SEEN_WITHIN_MS,
  });
  const isLost = () => world.ledger.ask((db) => isLeaseLost(db, lease));
  const hasLeft = async () => (await world.ledger.ask((db) => findLeaseOfJob(db, id))) !== lease;
  await waitUntil(async () => (await isLost()) || (await hasLeft()), {
    until: 'its lease or the job has ended',
    timeoutMs: SEEN_WITHIN_MS,
  });
  return (await isLost()) ? `lease ${lease} ended while its worker ran ${jobId}` : undefined;
}
