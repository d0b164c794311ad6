import { fileURLToPath } from 'node:url';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { openDatabase } from '@accepted/shared/ledger/connection/connect';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { startRedisServer } from '@accepted/testing/redis-server';
import { secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { waitUntil } from '@accepted/testing/wait-until';
import { type Keys, makeKeys } from './keys.ts';
import { startReceiver } from './receiver.ts';

/** An installation of its own, with two tenants. */
export interface World {
  url: string;
  port: number;
  databaseUrl: string;
  keys: Keys;
  /** The tenant of the key `other`, by its public id. */
  otherTenant: string;
  receiverUrl: string;
  api: SpawnedProcess;
  worker: SpawnedProcess;
  /** What `/openapi.json` answers once it tells of the job types. */
  document: unknown;
  close(): Promise<void>;
}

const JOBS_DIR = fileURLToPath(new URL('../../jobs', import.meta.url));
/** For `bytesWithoutGarbage`; on any free port, of this machine alone. */
const INSPECTED = '--inspect=127.0.0.1:0';
const START_MS = 60_000;
/** Whoever asks to wait for longer waits for so long: nothing may take more than five. */
const MAX_WAIT_SECONDS = 1;

/** How the API is started otherwise than in a run of the fuzzer. */
export interface ApiStart {
  nodeFlags?: string[];
  env?: Record<string, string>;
}

export async function startWorld(start: ApiStart = {}): Promise<World> {
  const [postgres, redis, receiver, port] = await Promise.all([
    startPostgresServer(),
    startRedisServer(),
    startReceiver(),
    findFreePort(),
  ]);
  const all = generateApiKey().text;
  const env = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    SECRETS_KEY: secretsKey,
    LOG_LEVEL: 'error',
    ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
  };
  const migration = spawnProcess('apps/migrate/src/main.ts', { env: { DATABASE_URL: postgres.url } });
  if ((await migration.exited).code !== 0) throw new Error(migration.lines.join('\n'));
  const api = spawnProcess('apps/api/src/main.ts', {
    env: {
      ...env,
      PORT: String(port),
      BOOTSTRAP_API_KEY: all,
      MAX_WAIT_SECONDS: String(MAX_WAIT_SECONDS),
      ...start.env,
    },
    nodeFlags: start.nodeFlags ?? [INSPECTED],
  });
  const worker = spawnProcess('apps/worker/src/main.ts', { env: { ...env, JOBS_DIR } });
  const url = `http://127.0.0.1:${port}`;
  const document = await waitUntil(() => readDocumentWithTypes(url), {
    until: 'the document tells of the job types',
    timeoutMs: START_MS,
  });
  return {
    url,
    port,
    databaseUrl: postgres.url,
    ...(await withDatabase(postgres.url, (db) => makeKeys(db, all))),
    receiverUrl: receiver.url,
    api,
    worker,
    document,
    async close() {
      await Promise.all([api, worker].map((process) => process[Symbol.asyncDispose]()));
      await receiver.close();
      await Promise.all([postgres, redis].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

async function readDocumentWithTypes(url: string): Promise<object | undefined> {
  const answer = await fetch(`${url}/openapi.json`);
  const document = (await answer.json()) as { components: { schemas: object } };
  return Object.hasOwn(document.components.schemas, 'Payload.fuzz.echo') ? document : undefined;
}

/** Uses a connection to the ledger for as long as `use` takes. */
export async function withDatabase<T>(
  url: string,
  use: (db: ReturnType<typeof openDatabase>) => Promise<T>,
): Promise<T> {
  const settings = { url, applicationName: 'accepted-fuzz', maxConnections: 1 };
  const db = openDatabase(
    { ...settings, connectTimeoutMs: 5_000, statementTimeoutMs: 30_000 },
    () => undefined,
  );
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}
