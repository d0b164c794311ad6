import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { OLDEST_REDIS, UnsupportedServerError } from '../../core/servers/unsupported-server.ts';
import { type BullmqStore, WORKER_SETTINGS } from '../bullmq-store.ts';

export interface RedisStoreOptions {
  url: string;
  /** Goes before every key, so that several installations can share a Redis. */
  keyPrefix: string;
  onError: (error: Error) => void;
}

const MAX_RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 5_000;
/** So long a worker waits before it asks again, which costs eight commands; a job that comes wakes it. */
const WAIT_SECONDS = 12;
/** A waiting worker hears from Redis so often, so after this the link must be dead. */
const SILENCE_TIMEOUT_MS = 1_000 * WAIT_SECONDS + 3_000;

/** Opens BullMQ on Redis. Resolves nothing and waits for nothing: connections are made, and made again, behind it. */
export function openRedisStore({ url, keyPrefix, onError }: RedisStoreOptions): BullmqStore {
  const retryStrategy = (times: number) => Math.min(times * 50, MAX_RECONNECT_DELAY_MS);
  const connection = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy,
  });
  connection.on('error', onError);
  connection.on('ready', () => void requireVersion(connection).catch(onError));
  const queues = new Map<string, Queue>();

  return {
    kind: 'redis',
    bulkFrom: 2,
    isReady: () => connection.status === 'ready',
    queue(name) {
      // A Queue of BullMQ 6.7 asks Redis for its version when it is opened, and is of no use ever after if that fails.
      const settings = { connection, prefix: keyPrefix, skipWaitingForReady: true, skipVersionCheck: true };
      const queue = queues.get(name) ?? new Queue(name, settings);
      if (!queues.has(name)) queue.on('error', onError);
      queues.set(name, queue);
      return queue;
    },
    openWorker(name, processor, options) {
      // A worker waits for jobs on a blocking connection of its own, which must outlast any loss of Redis.
      const own = new Redis(url, {
        maxRetriesPerRequest: null,
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_TIMEOUT_MS,
        retryStrategy,
      });
      own.on('error', onError);
      const settings = {
        connection: own,
        prefix: keyPrefix,
        ...WORKER_SETTINGS,
        drainDelay: WAIT_SECONDS,
        ...options,
      };
      const worker = new Worker(name, processor, settings);
      worker.on('error', onError);
      worker.on('closed', () => own.disconnect());
      return worker;
    },
    async wasWiped(mark) {
      return (await connection.set(`${keyPrefix}:engine-mark:${mark}`, '1', 'GET')) === null;
    },
    fullness: async () => readFullness(await connection.info('memory')),
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      connection.disconnect();
    },
  };
}

/** A Valkey tells the version of the Redis that it is like. */
async function requireVersion(connection: Redis): Promise<void> {
  const version = /^redis_version:(\S+)/m.exec(await connection.info('server'))?.[1];
  if (version === undefined || Number.parseFloat(version) >= Number(OLDEST_REDIS)) return;
  const server = { product: 'Redis', oldest: OLDEST_REDIS, version, setting: 'REDIS_URL' };
  throw new UnsupportedServerError(server);
}

/** Without a `maxmemory` the machine is the bound. */
function readFullness(info: string): number {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const most = field('maxmemory') || field('total_system_memory');
  // It takes a little more than it may before it refuses.
  return most > 0 ? Math.min(1, field('used_memory') / most) : 0;
}
