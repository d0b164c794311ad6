import { readFile } from 'node:fs/promises';
import { createSecretBox } from '@accepted/shared/core/secrets/secret-box';
import { UnsupportedServerError } from '@accepted/shared/core/servers/unsupported-server';
import { requireEngineSchema } from '@accepted/shared/engine/migrate-engine';
import { openEngine } from '@accepted/shared/engine/open-engine';
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
} from '@accepted/shared/ledger/connection/connect';
import { findSchemaMismatch } from '@accepted/shared/ledger/connection/schema-version';
import { warnAboutServer } from '@accepted/shared/ledger/connection/server-warnings';
import { sealStoredSecrets, webhookSecrets } from '@accepted/shared/ledger/tenants/tenants';
import { ConfigError, EXIT_MISCONFIGURED } from '@accepted/shared/runtime/config/parse-config';
import { createLogger } from '@accepted/shared/runtime/logging/create-logger';
import type { Logger } from 'pino';
import { readConfig, type WorkerConfig } from './config.ts';
import { endOnUncaughtException, tellOfExit } from './end-on-crash.ts';
import { createBuiltinHandlers } from './handlers/builtin/create-builtin-handlers.ts';
import { HandlersError, loadHandlers } from './handlers/load-handlers.ts';
import { closeIsolatedProcesses } from './handlers/process-pool.ts';
import { createThreadedOutbound } from './outbound/threaded-outbound.ts';
import { watchSchema } from './services/rescue/watch-schema.ts';
import { startWorker } from './services.ts';

/** Shared by claims, outcomes, dispatchers and services; each holds one only for the length of a statement or two. */
const MAX_CONNECTIONS = 12;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** What a heartbeat is given at least, however short the lease: a busy machine may need it to connect. */
const MIN_HEARTBEAT_TIMEOUT_MS = 2_000;
const EXIT_FAILED = 1;

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ name: 'worker', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  const { db, heartbeatDb, engine } = openStores(config, logger);
  await requireSchemas(db, config);
  await warnAboutServer(db, (sentence) => logger.warn(sentence));
  const secretBox = createSecretBox(config.SECRETS_KEY);
  await sealStoredSecrets(db, secretBox);
  const builtins = createBuiltinHandlers({
    webhookSecrets: (tenantId) => webhookSecrets(db, secretBox, tenantId),
    outbound: createThreadedOutbound({ allowPrivateNetworks: config.ALLOW_PRIVATE_NETWORKS, logger }),
  });
  const handlers = await loadHandlers({ jobsDir: config.JOBS_DIR, builtins });
  const worker = await startWorker({
    config,
    db,
    heartbeatDb,
    engine,
    handlers,
    versions: await readVersions(),
    onDeaf: () => void stop('watchdog', EXIT_FAILED),
    logger,
  });

  // A handler that leaves a rejected promise behind must not take the other jobs of this process with it.
  process.on('unhandledRejection', (error) => {
    logger.error({ err: error }, 'a promise was rejected and nothing handles it, probably in a handler');
  });
  let stopping = false;
  let exiting = false;
  function exit(code: number): void {
    exiting = true;
    // Whatever still hangs on a connection that is gone must not keep the process.
    process.exit(code);
  }
  tellOfExit({ isExpected: () => exiting, runningJobs: worker.runningJobs, logger });
  endOnUncaughtException({
    async giveUp(reason) {
      stopping = true;
      await worker.stop(reason);
      await closeIsolatedProcesses();
    },
    exit,
    logger,
  });
  async function stop(reason: string, exitCode = 0): Promise<void> {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'told to stop');
    await worker.stop();
    await closeIsolatedProcesses();
    logger.info('stopped');
    exit(exitCode);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  // Not before: whoever reads it may tell the worker to stop.
  logger.info(worker.facts, 'worker started');
  watchSchema(db, ({ message }) => {
    logger.fatal(message);
    void stop('schema', EXIT_FAILED);
  });
}

/** Opens connections to the ledger and to the engine; nothing waits for them here. */
function openStores(config: WorkerConfig, logger: Logger) {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = config;
  const onError = (error: Error) =>
    logger.warn({ err: error }, 'a connection to Postgres failed; it is made again');
  const onEngineError = (error: Error) => {
    if (error instanceof UnsupportedServerError) refuse(error);
    logger.warn({ err: error }, 'the queue engine is in trouble; what it lost is delivered again');
  };
  const db = openDatabase(
    {
      url: databaseUrl,
      applicationName: 'accepted-worker',
      maxConnections: MAX_CONNECTIONS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      indexPlansOnly: true,
    },
    onError,
  );
  const heartbeatDb = openDatabase(heartbeatConnection(config), onError);
  const engine = openEngine({ databaseUrl, redisUrl, onError: onEngineError });
  return { db, heartbeatDb, engine };
}

/** Refuses to start on a ledger, or a queue engine on Postgres, that was migrated for another version. */
async function requireSchemas(db: Database, { DATABASE_URL, REDIS_URL }: WorkerConfig): Promise<void> {
  const mismatch = await findSchemaMismatch(db);
  if (mismatch) throw new Error(mismatch.message);
  if (REDIS_URL === undefined) await requireEngineSchema(DATABASE_URL);
}

/** One that hangs is given up in time for another try within the lease. */
function heartbeatConnection({ DATABASE_URL, LEASE_MS }: WorkerConfig): DatabaseOptions {
  const timeoutMs = Math.max(MIN_HEARTBEAT_TIMEOUT_MS, Math.floor(LEASE_MS / 3));
  return {
    url: DATABASE_URL,
    applicationName: 'accepted-worker-heartbeat',
    maxConnections: 1,
    connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    statementTimeoutMs: Math.min(STATEMENT_TIMEOUT_MS, timeoutMs),
  };
}

function secretsOf({ DATABASE_URL, REDIS_URL, SECRETS_KEY }: WorkerConfig): (string | undefined)[] {
  return [DATABASE_URL, REDIS_URL, ...SECRETS_KEY.map((key) => key.toString('base64'))];
}

/** Names what ran, for whoever debugs a dead letter later. */
async function readVersions(): Promise<Record<string, string>> {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  return { accepted: manifest.version, node: process.versions.node };
}

function refuse(error: unknown): never {
  const isForGood =
    error instanceof ConfigError || error instanceof HandlersError || error instanceof UnsupportedServerError;
  process.stderr.write(
    `The worker could not start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(isForGood ? EXIT_MISCONFIGURED : EXIT_FAILED);
}

main().catch(refuse);
