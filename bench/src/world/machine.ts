import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { spreadOf } from '../statistics/spread.ts';
import type { Servers } from './servers.ts';

/** What a run ran on, as it saw it. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  system: string;
  /** How long a small write takes to reach the disk: the median of `fdatasync` where temporary files are. */
  syncMs: number;
  /** Of Node, PostgreSQL, Redis and the contenders' libraries. */
  versions: Record<string, string>;
}

const SYNCS = 50;

const LIBRARIES = ['fastify', 'bullmq', 'pg-boss', 'graphile-worker', 'pg', 'autocannon', 'undici'] as const;

export async function describeMachine(servers: Servers): Promise<Machine> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    syncMs: await measureSync(),
    versions: {
      Node: process.versions.node,
      PostgreSQL: await readPostgresVersion(servers.postgres.url),
      Redis: await readRedisVersion(servers.redis.url),
      ...(await readLibraryVersions()),
    },
  };
}

async function measureSync(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-bench-'));
  const file = await open(join(folder, 'sync'), 'w');
  const page = Buffer.alloc(8_192, 1);
  const times: number[] = [];
  for (let n = 0; n < SYNCS; n += 1) {
    const startedAt = performance.now();
    await file.write(page, 0, page.length, n * page.length);
    await file.datasync();
    times.push(performance.now() - startedAt);
  }
  await file.close();
  await rm(folder, { recursive: true });
  return spreadOf(times).median;
}

export async function readPostgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  await client.end();
  return rows[0]?.server_version ?? 'unknown';
}

async function readRedisVersion(url: string): Promise<string> {
  const redis = new Redis(url);
  const info = await redis.info('server');
  redis.disconnect();
  return info.match(/^redis_version:(\S+)/m)?.[1] ?? 'unknown';
}

/** They are pinned, so the manifest says what is installed. */
async function readLibraryVersions(): Promise<Record<string, string>> {
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return Object.fromEntries(LIBRARIES.map((name) => [name, manifest.devDependencies[name]]));
}
