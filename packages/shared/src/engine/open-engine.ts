import type { Engine } from './engine.ts';
import { openPostgresEngine } from './postgres/postgres-engine.ts';
import { openRedisEngine } from './redis/redis-engine.ts';

/** Opens the engine that the configuration asks for: Redis where there is a URL for it, the ledger's Postgres otherwise. */
export function openEngine(options: {
  databaseUrl: string;
  redisUrl: string | undefined;
  onError: (error: Error) => void;
}): Engine {
  const { databaseUrl, redisUrl, onError } = options;
  if (redisUrl === undefined) return openPostgresEngine({ databaseUrl, onError });
  return openRedisEngine({ url: redisUrl, keyPrefix: 'accepted', onError });
}
