import type { BullmqStore } from './bullmq-store.ts';
import { openPostgresStore } from './postgres/postgres-store.ts';
import { openRedisStore } from './redis/redis-store.ts';

export interface StoreOptions {
  databaseUrl: string;
  redisUrl: string | undefined;
  onError: (error: Error) => void;
}

/** Opens BullMQ where the configuration asks for it: on Redis where there is a URL for it, else on the ledger's Postgres. */
export function openStore({ databaseUrl, redisUrl, onError }: StoreOptions): BullmqStore {
  if (redisUrl === undefined) return openPostgresStore({ databaseUrl, onError });
  return openRedisStore({ url: redisUrl, keyPrefix: 'accepted', onError });
}
