import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import type { Api, Contender } from '../contenders/contender.ts';
import type { Environment } from '../contenders/start-programs.ts';
import type { Servers } from './servers.ts';
import { openStores, type Stores } from './stores.ts';

/** One contender at work: its API is up, on empty stores, and nothing else runs. */
export interface Session extends AsyncDisposable {
  readonly contender: Contender;
  readonly servers: Servers;
  readonly stores: Stores;
  readonly api: Api;
  /** Those that were started and not stopped. */
  readonly workers: readonly SpawnedProcess[];
  /** Starts workers until there are so many; `env` is set on top of what they have by default. */
  startWorkers(count: number, env?: Environment): Promise<void>;
}

const STOP_TIMEOUT_MS = 12_000;

/** Opens empty stores, prepares them and starts the API; its end stops all that was started. */
export async function openSession(servers: Servers, contender: Contender): Promise<Session> {
  await using stack = new AsyncDisposableStack();
  const stores = stack.use(await openStores(servers));
  await contender.prepare(stores);
  const api = await contender.startApi(stores);
  const workers: SpawnedProcess[] = [];
  stack.defer(async () => void (await Promise.all([api.process, ...workers].map(stop))));
  const owned = stack.move();
  return {
    contender,
    servers,
    stores,
    api,
    workers,
    async startWorkers(count, env) {
      while (workers.length < count) workers.push(await contender.startWorker(stores, env));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Ends a process in order, or with SIGKILL when it takes its time. */
async function stop(process: SpawnedProcess): Promise<void> {
  const killer = setTimeout(() => process.kill(), STOP_TIMEOUT_MS);
  process.kill('SIGTERM');
  await process.exited;
  clearTimeout(killer);
}
