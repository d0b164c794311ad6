import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@accepted/testing/wait-until';
import type { Random } from '../random.ts';
import { listHolderPids } from '../world/worker-rows.ts';
import type { Node, World } from '../world/world.ts';

const READY_WITHIN_MS = 30_000;

/** Picks a process that is up; waits for one when an earlier fault has them all down. */
export async function pickReady(nodes: Node[], random: Random): Promise<Node> {
  const up = () => nodes.filter((node) => node.isReady);
  await waitUntil(() => up().length > 0, { until: 'a process is ready', timeoutMs: READY_WITHIN_MS });
  return random.pick(up());
}

/** Answers the workers that have services whose names begin so; waits for one while a lease goes over. */
export async function holdersOf({ ledger, workers }: World, service: string): Promise<Node[]> {
  return await waitUntil(
    async () => {
      const pids = await ledger.ask((db) => listHolderPids(db, service));
      const holders = workers.filter(({ pid }) => pids.includes(pid));
      return holders.length > 0 ? holders : undefined;
    },
    { until: `a worker has: ${service}`, timeoutMs: READY_WITHIN_MS },
  );
}

/** Lets a fault last, from `least` to `most` milliseconds. */
export async function hold(random: Random, least: number, most: number): Promise<number> {
  const ms = random.int(least, most);
  await delay(ms);
  return ms;
}
