import type { BullmqStore } from './bullmq-store.ts';
import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';
import { openPostgresStore } from './postgres/postgres-store.ts';
import { openRedisStore } from './redis/redis-store.ts';

export interface EngineOptions {
  databaseUrl: string;
  redisUrl: string | undefined;
  onError: (error: Error) => void;
}

/** Opens the engine that the configuration asks for: Redis where there is a URL for it, the ledger's Postgres otherwise. */
export function openEngine(options: EngineOptions): Engine {
  return createEngine(openStore(options), options.onError);
}

/** Opens BullMQ itself, for Bull Board, which shows its queues. */
export function openStore({ databaseUrl, redisUrl, onError }: EngineOptions): BullmqStore {
  if (redisUrl === undefined) return openPostgresStore({ databaseUrl, onError });
  return openRedisStore({ url: redisUrl, keyPrefix: 'accepted', onError });
}
