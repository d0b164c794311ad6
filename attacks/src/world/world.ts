import { fileURLToPath } from 'node:url';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { addTenant } from '@accepted/shared/ledger/tenants/tenants';
import { lowerOwnPriority } from '@accepted/shared/runtime/threads/lower-priority';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { startRedisServer } from '@accepted/testing/redis-server';
import { secretBox, secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { waitUntil } from '@accepted/testing/wait-until';
import { type QuietTenant, startQuietTenant } from '../quiet/measure.ts';

/** An installation as Compose makes one, with two tenants: A attacks, B is quiet. */
export interface World {
  url: string;
  port: number;
  keyOfA: string;
  quietTenant: QuietTenant;
  /** The processes whose memory is watched. */
  processes: SpawnedProcess[];
  redisUrl: string;
  db: Database;
  close(): Promise<void>;
}

const JOBS_DIR = fileURLToPath(new URL('../../jobs', import.meta.url));
const START_MS = 60_000;
/** As in docker-compose.yml. */
const REDIS_MEMORY = ['--maxmemory', '256mb', '--maxmemory-policy', 'noeviction'];
/** For `bytesWithoutGarbage`. */
const INSPECTABLE = ['--inspect=127.0.0.1:0'];
const MAX_REQUEST_MS = 10_000;

export async function startWorld(): Promise<World> {
  const [postgres, redis, port] = await Promise.all([
    startPostgresServer(),
    startRedisServer(REDIS_MEMORY),
    findFreePort(),
  ]);
  const keyOfA = generateApiKey().text;
  const env = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    SECRETS_KEY: secretsKey,
    LOG_LEVEL: 'fatal',
    ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
    REQUEST_TIMEOUT_MS: String(MAX_REQUEST_MS),
  };
  const migration = spawnProcess('apps/migrate/src/main.ts', { env: { DATABASE_URL: postgres.url } });
  if ((await migration.exited).code !== 0) throw new Error(migration.lines.join('\n'));
  const api = spawnProcess('apps/api/src/main.ts', {
    env: { ...env, PORT: String(port), BOOTSTRAP_API_KEY: keyOfA },
    nodeFlags: INSPECTABLE,
  });
  const worker = spawnProcess('apps/worker/src/main.ts', {
    env: { ...env, JOBS_DIR, LOG_LEVEL: 'info' },
    nodeFlags: INSPECTABLE,
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntil(async () => (await fetch(`${url}/readyz`)).ok, {
    until: 'the API is ready',
    timeoutMs: START_MS,
  });
  await worker.waitForLine(/worker started/, START_MS);
  const db = openDatabase(
    {
      url: postgres.url,
      applicationName: 'accepted-attacks',
      maxConnections: 2,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 30_000,
    },
    () => undefined,
  );
  const { apiKey: keyOfB } = await addTenant(db, secretBox, 'quiet');
  const quietTenant = startQuietTenant(url, keyOfB);
  // What an attack costs its client is paid by another machine where it is real.
  lowerOwnPriority();
  return {
    url,
    port,
    keyOfA,
    quietTenant,
    processes: [api, worker],
    redisUrl: redis.url,
    db,
    async close() {
      await quietTenant.close();
      await db.destroy();
      await Promise.all([api, worker].map((process) => process[Symbol.asyncDispose]()));
      await Promise.all([postgres, redis].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}
