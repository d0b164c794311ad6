import { setTimeout as pause } from 'node:timers/promises';
import type { Contender, ContenderName } from '../contenders/contender.ts';
import type { Servers } from '../world/servers.ts';
import { openStores } from '../world/stores.ts';
import { costOf, costPer } from './path-cost.ts';
import { openRelayedStores } from './relayed-stores.ts';

/** What so many workers say to the servers in a second while there is nothing to do. */
export interface IdleWorkers {
  contender: ContenderName;
  title: string;
  workers: number;
  statementsPerSecond: number;
  redisCommandsPerSecond: number;
}

/** Until pools have closed what they need no more, and everybody has heard of the others. */
const SETTLE_MS = 15_000;

/** Starts worker after worker, and counts what they say in `seconds` while there is nothing to do. */
export async function measureIdleWorkers(
  servers: Servers,
  contender: Contender,
  { counts, seconds }: { counts: readonly number[]; seconds: number },
  say: (line: string) => void,
): Promise<IdleWorkers[]> {
  await using stack = new AsyncDisposableStack();
  const stores = stack.use(await openStores(servers));
  const apiSide = stack.use(await openRelayedStores(stores));
  const workerSide = stack.use(await openRelayedStores(stores));
  await contender.prepare(stores);
  const measured: IdleWorkers[] = [];
  let running = 0;
  for (const workers of counts) {
    say(`cost: ${workers} idle workers of ${contender.title}`);
    for (; running < workers; running += 1) stack.use(await contender.startWorker(workerSide.stores));
    await pause(SETTLE_MS);
    const world = { stores, apiSide, workerSide };
    const { workerStatements, redisCommands } = costPer(
      await costOf(world, () => pause(seconds * 1_000)),
      seconds,
    );
    measured.push({
      ...{ contender: contender.name, title: contender.title, workers },
      ...{ statementsPerSecond: workerStatements, redisCommandsPerSecond: redisCommands },
    });
  }
  return measured;
}
