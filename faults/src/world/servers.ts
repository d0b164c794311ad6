import { randomBytes } from 'node:crypto';
import { type PostgresServer, postgresFor, startPostgresServer } from '@accepted/testing/postgres-server';
import { type RedisServer, startRedisServer } from '@accepted/testing/redis-server';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { EngineKind } from '../kinds.ts';
import { proxyTo } from './links.ts';

/** The run's PostgreSQL, with a database of the run's own in it. After a failover it is another server. */
export interface RunPostgres extends PostgresServer {
  /** The database, by way of a proxy that is never broken and leads to whichever server it is now. */
  readonly databaseUrl: string;
  /** What every server of the run is started with. */
  readonly flags: string[];
  readonly version: string;
  /** Does something on a connection of its own, as superuser. */
  asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Makes another server the run's, and answers the one of before, which the caller ends. */
  moveTo(server: PostgresServer): PostgresServer;
}

/** Few enough for a fault to use them all up, enough for five processes and the suite; BullMQ on Postgres has its own. */
const MAX_CONNECTIONS = { redis: 110, postgres: 220 } as const;

const SELECT_VERSION = `SELECT current_setting('server_version') AS version`;

export async function startRunPostgres(engine: EngineKind): Promise<RunPostgres> {
  const flags = ['-c', `max_connections=${MAX_CONNECTIONS[engine]}`, '-c', 'shared_buffers=256MB'];
  let server = await startPostgresServer(flags, postgresFor(engine));
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
  const { rows } = await asAdmin((client) => client.query<{ version: string }>(SELECT_VERSION));
  const front = await proxyTo(server.url);
  const databaseUrl = new URL(front.url);
  databaseUrl.pathname = `/${name}`;
  return {
    get url() {
      return server.url;
    },
    get port() {
      return server.port;
    },
    get pid() {
      return server.pid;
    },
    get dataDir() {
      return server.dataDir;
    },
    binDir: server.binDir,
    databaseUrl: databaseUrl.href,
    flags,
    version: rows[0]?.version ?? 'unknown',
    asAdmin,
    stop: (mode) => server.stop(mode),
    start: () => server.start(),
    moveTo(next) {
      const before = server;
      server = next;
      front.proxy.retarget({ host: '127.0.0.1', port: next.port });
      front.proxy.resetAll();
      return before;
    },
    async [Symbol.asyncDispose]() {
      await front.proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The run's Redis, durable as BullMQ's documentation recommends: an append-only file, written every second. */
export interface RunRedis extends RedisServer {
  /** A connection for the suite itself. */
  readonly client: Redis;
  readonly version: string;
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
    version: { value: /^redis_version:(\S+)/m.exec(await client.info('server'))?.[1] ?? 'unknown' },
    folder: { value: folder },
  });
}
