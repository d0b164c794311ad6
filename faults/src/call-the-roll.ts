import { waitUntil } from '@accepted/testing/wait-until';
import type { JobKind } from './kinds.ts';
import { listBusyPids } from './world/worker-rows.ts';
import type { World } from './world/world.ts';

/** More than two workers can run at once, so that there is work for the third. */
const JOBS_PER_ROUND = 60;
const ROUNDS = 4;
const ROUND_MS = 8_000;

/**
 * Gives every worker something to do when all faults are over, and answers who took nothing: a worker that went deaf,
 * its processes up and its heartbeat going, is hidden by the others as long as they carry its share.
 */
export async function callTheRoll(
  { workers, ledger }: World,
  submit: (kind: JobKind) => Promise<string>,
): Promise<string[]> {
  await Promise.allSettled(workers.map((worker) => worker.ready()));
  const silent = new Map(workers.map((worker) => [worker.pid, worker.name]));
  const hear = async () => {
    for (const pid of await ledger.ask(listBusyPids)) silent.delete(pid);
    return silent.size === 0;
  };
  for (let round = 1; round <= ROUNDS && silent.size > 0; round += 1) {
    await Promise.all(Array.from({ length: JOBS_PER_ROUND }, () => submit('slow')));
    await waitUntil(hear, { until: 'all workers work', timeoutMs: ROUND_MS }).catch(() => undefined);
  }
  return [...silent.values()].map((name) => `${name} runs but took no job when all faults were over.`);
}
