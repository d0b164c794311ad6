import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Servers } from './servers.ts';

/** What one contender finds: an empty database, an empty Redis, and a folder for what its processes note. */
export interface Stores extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** The observer's own connections; no contender uses them. */
  readonly postgres: pg.Pool;
  readonly redis: Redis;
  readonly folder: string;
}

/** Opens empty stores. What the contender before has left is dropped first, so that nothing cleans up behind it. */
export async function openStores(servers: Servers): Promise<Stores> {
  const name = `bench_${randomBytes(4).toString('hex')}`;
  await asAdmin(servers, `CREATE DATABASE ${name}`);
  const url = new URL(servers.postgres.url);
  url.pathname = `/${name}`;
  const postgres = new pg.Pool({ connectionString: url.href, max: 2, application_name: 'bench-observer' });
  postgres.on('error', () => undefined);
  const redis = new Redis(servers.redis.url);
  redis.on('error', () => undefined);
  await redis.flushall();
  const folder = await mkdtemp(join(tmpdir(), 'accepted-bench-'));
  return {
    databaseUrl: url.href,
    redisUrl: servers.redis.url,
    postgres,
    redis,
    folder,
    async [Symbol.asyncDispose]() {
      await postgres.end();
      redis.disconnect();
      await rm(folder, { recursive: true, force: true });
      await asAdmin(servers, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function asAdmin(servers: Servers, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: servers.postgres.url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
