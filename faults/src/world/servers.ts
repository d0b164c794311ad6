import { randomBytes } from 'node:crypto';
import { type PostgresServer, startPostgresServer } from '@accepted/testing/postgres-server';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { EngineKind } from '../logs.ts';

/** The run's PostgreSQL, with a database of the run's own in it. */
export interface RunPostgres extends PostgresServer {
  /** The database, not by way of any proxy. */
  readonly databaseUrl: string;
  /** Does something on a connection of its own, as superuser. */
  asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
}

/** Few enough for a fault to use them all up, enough for five processes and the suite; BullMQ on Postgres has its own. */
const MAX_CONNECTIONS = { redis: 110, postgres: 220 } as const;

export async function startRunPostgres(engine: EngineKind): Promise<RunPostgres> {
  const server = await startPostgresServer([
    '-c',
    `max_connections=${MAX_CONNECTIONS[engine]}`,
    '-c',
    'shared_buffers=256MB',
  ]);
  const asAdmin = async <T>(work: (client: pg.Client) => Promise<T>) => {
    const client = new pg.Client({
      connectionString: server.url,
      connectionTimeoutMillis: 10_000,
      application_name: 'faults-admin',
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const name = `faults_${randomBytes(4).toString('hex')}`;
  await asAdmin((client) => client.query(`CREATE DATABASE ${name}`));
  const databaseUrl = new URL(server.url);
  databaseUrl.pathname = `/${name}`;
  return Object.defineProperties({} as RunPostgres, {
    ...Object.getOwnPropertyDescriptors(server),
    databaseUrl: { value: databaseUrl.href },
    asAdmin: { value: asAdmin },
  });
}

/** The run's Redis, durable as BullMQ's documentation recommends: an append-only file, written every second. */
export interface RunRedis extends RedisServer {
  /** A connection for the suite itself. */
  readonly client: Redis;
  /** Where it keeps its files. */
  readonly folder: string;
}

export async function startRunRedis(): Promise<RunRedis> {
  const server = await startRedisServer([
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--maxmemory-policy',
    'noeviction',
    '--enable-debug-command',
    'local',
  ]);
  const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
  client.on('error', () => undefined);
  const [, folder = ''] = (await client.config('GET', 'dir')) as string[];
  return Object.defineProperties({} as RunRedis, {
    ...Object.getOwnPropertyDescriptors(server),
    client: { value: client },
    folder: { value: folder },
  });
}
