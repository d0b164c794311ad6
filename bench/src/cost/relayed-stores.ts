import type { Stores } from '../world/stores.ts';
import { startCountingRelay } from './counting-relay.ts';
import type { Traffic } from './traffic.ts';

/** What a process said to each server. */
export interface ServerTraffic {
  postgres: Traffic;
  redis: Traffic;
}

/** The stores as one kind of process reaches them: by ways that count what is said. */
export interface RelayedStores extends AsyncDisposable {
  readonly stores: Stores;
  read(): ServerTraffic;
}

export async function openRelayedStores(stores: Stores): Promise<RelayedStores> {
  const [postgres, redis] = await Promise.all([
    startCountingRelay(stores.databaseUrl),
    startCountingRelay(stores.redisUrl),
  ]);
  return {
    stores: { ...stores, databaseUrl: postgres.url, redisUrl: redis.url },
    read: () => ({ postgres: postgres.read(), redis: redis.read() }),
    async [Symbol.asyncDispose]() {
      await Promise.all([postgres[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()]);
    },
  };
}
