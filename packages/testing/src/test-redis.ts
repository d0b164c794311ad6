import { Redis } from 'ioredis';
import { startRedisServer } from './redis-server.ts';
import { testConfig } from './test-config.ts';

/** An empty Redis that no other test uses. */
export interface TestRedis {
  url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Gives a test file a Redis that is empty: a server of its own or, where `REDIS_URL` names one, a database of that.
 *
 * A test that stops, freezes or wipes Redis takes `startRedisServer` instead.
 */
export async function createTestRedis(): Promise<TestRedis> {
  return testConfig.REDIS_URL ? await takeDatabase(testConfig.REDIS_URL) : await startRedisServer();
}

/** Redis has 16 databases by default; number 0, which somebody may be using, only hands out the others. */
const DATABASES = 15;

async function takeDatabase(server: string): Promise<TestRedis> {
  const root = new Redis(server, { db: 0 });
  const db = ((await root.incr('accepted-tests:databases')) % DATABASES) + 1;
  await root.select(db);
  await root.flushdb();
  root.disconnect();
  const url = new URL(server);
  url.pathname = `/${db}`;
  return { url: url.href, [Symbol.asyncDispose]: async () => undefined };
}

/** Sends one command to a Redis, as somebody does who meddles with it. */
export async function commandRedis(url: string, command: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(url);
  try {
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}
