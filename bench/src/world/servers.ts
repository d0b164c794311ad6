import {
  type PostgresKind,
  type PostgresServer,
  startPostgresServer,
} from '@accepted/testing/postgres-server';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';

/** The PostgreSQL and the Redis of a run; all contenders use them, one after the other. */
export interface Servers extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

/**
 * What is not PostgreSQL's default: room for four workers with pools of their own, buffers as for a small installation,
 * and commit times, from which the moment is read in which an outcome became durable. `fsync` and `synchronous_commit`
 * are on by default and stay so.
 */
const POSTGRES_SETTINGS = ['max_connections=200', 'shared_buffers=512MB', 'track_commit_timestamp=on'];

/** As BullMQ's documentation asks for: https://docs.bullmq.io/guide/going-to-production#persistence */
const REDIS_SETTINGS = {
  '--appendonly': 'yes',
  '--appendfsync': 'everysec',
  '--maxmemory-policy': 'noeviction',
};

/** Starts them; all contenders are compared on the newest PostgreSQL, unless another one is asked for. */
export async function startServers(kind: PostgresKind = 'embedded'): Promise<Servers> {
  const redis = await startRedisServer(Object.entries(REDIS_SETTINGS).flat());
  const settings = POSTGRES_SETTINGS.flatMap((setting) => ['-c', setting]);
  const postgres = await startPostgresServer(settings, kind);
  return {
    postgres,
    redis,
    async [Symbol.asyncDispose]() {
      await Promise.all([postgres[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()]);
    },
  };
}
