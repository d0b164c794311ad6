import { Redis } from 'ioredis';

/** The memory of a Redis, which can be made little for a while. */
export interface RedisMemory {
  /** How much is used and how much may be, in bytes. */
  look(): Promise<{ usedBytes: number; maxBytes: number }>;
  setMax(bytes: number): Promise<void>;
  close(): void;
}

/** Opens a connection that looks at the memory of a Redis. */
export function openRedisMemory(url: string): RedisMemory {
  const redis = new Redis(url);
  return {
    async look() {
      const info = await redis.info('memory');
      const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
      return { usedBytes: field('used_memory'), maxBytes: field('maxmemory') };
    },
    async setMax(bytes) {
      await redis.config('SET', 'maxmemory', bytes);
    },
    close: () => redis.disconnect(),
  };
}
