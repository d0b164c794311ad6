import type { Redis } from 'ioredis';
import type { Stores } from '../world/stores.ts';

/** What servers count themselves, since they were started. */
export interface ServerCounters {
  /** Bytes that were written to the log of PostgreSQL, for all its databases. */
  walBytes: number;
  /** Commands that Redis carried out, those inside scripts too; the question for this number aside. */
  redisCommands: number;
}

export async function readServerCounters({ postgres, redis }: Stores): Promise<ServerCounters> {
  const [wal, redisCommands] = await Promise.all([
    postgres.query(`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS bytes`),
    countCommands(redis),
  ]);
  return { walBytes: wal.rows[0].bytes, redisCommands };
}

async function countCommands(redis: Redis): Promise<number> {
  const lines = (await redis.info('commandstats')).split('\r\n');
  return lines
    .filter((line) => line.startsWith('cmdstat_') && !line.startsWith('cmdstat_info:'))
    .reduce((sum, line) => sum + Number(/:calls=(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** Answers how much memory Redis takes, in bytes. */
export async function redisMemoryBytes(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}
