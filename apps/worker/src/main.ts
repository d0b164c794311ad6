import { readFile } from 'node:fs/promises';
import { openDatabase } from '@accepted/shared/database/connect';
import { openEngine } from '@accepted/shared/queue/open-engine';
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { loadHandlers } from './handlers/load-handlers.ts';
import { startWorker } from './start-worker.ts';

/** Connections for claims, outcomes, dispatchers and services; a queue adds its share in the dispatcher. */
const MAX_CONNECTIONS = 12;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const EXIT_FAILED = 1;

async function main(): Promise<void> {
  const config = readConfig();
  const logger = pino({ name: 'worker', level: config.LOG_LEVEL });
  const onError = (error: Error) => logger.warn({ err: error }, 'a connection failed; it is made again');
  const db = openDatabase(
    {
      url: config.DATABASE_URL,
      applicationName: 'accepted-worker',
      maxConnections: MAX_CONNECTIONS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    },
    onError,
  );
  const builtins: never[] = [];
  const handlers = await loadHandlers({ jobsDir: config.JOBS_DIR, builtins });
  const engine = openEngine({ databaseUrl: config.DATABASE_URL, redisUrl: config.REDIS_URL, onError });
  const worker = await startWorker({ config, db, engine, handlers, versions: await readVersions(), logger });

  let stopping = false;
  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'told to stop');
    await worker.stop();
    logger.info('stopped');
    // Whatever still hangs on a connection that is gone must not keep the process.
    process.exit();
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}

async function readVersions(): Promise<Record<string, string>> {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  return { accepted: manifest.version, node: process.versions.node };
}

main().catch((error: unknown) => {
  process.stderr.write(
    `The worker could not start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(EXIT_FAILED);
});
