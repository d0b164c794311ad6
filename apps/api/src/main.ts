import { setTimeout } from 'node:timers/promises';
import { createSecretBox } from '@accepted/shared/core/secrets/secret-box';
import { UnsupportedServerError } from '@accepted/shared/core/servers/unsupported-server';
import { type Database, isDatabaseUnavailable } from '@accepted/shared/ledger/connection/connect';
import { findSchemaMismatch, type SchemaMismatch } from '@accepted/shared/ledger/connection/schema-version';
import { warnAboutServer } from '@accepted/shared/ledger/connection/server-warnings';
import { ensureBootstrap } from '@accepted/shared/ledger/tenants/tenants';
import { ConfigError, EXIT_MISCONFIGURED } from '@accepted/shared/runtime/config/parse-config';
import { createLogger } from '@accepted/shared/runtime/logging/create-logger';
import closeWithGrace from 'close-with-grace';
import { spend } from './admission/database-budget.ts';
import { buildApp } from './app.ts';
import { type Config, poolSize, publicUrl, readConfig } from './config.ts';
import { closePools, openPools } from './pools/pools.ts';

/** A connection that takes longer is no use to a caller who gets a 503 after 900 ms. */
const CONNECT_TIMEOUT_MS = 800;
const STATEMENT_TIMEOUT_MS = 5_000;
const WARM_UP_MS = 1_000;
const EXIT_FAILED = 1;

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ name: 'api', level: config.LOG_LEVEL, secrets: secretsOf(config) });
  const pools = openPools(
    {
      url: config.DATABASE_URL,
      connections: poolSize(config),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    },
    (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
  );
  const { BOOTSTRAP_API_KEY: apiKey, BOOTSTRAP_WEBHOOK_SECRET: webhookSecret } = config;
  const secretBox = createSecretBox(config.SECRETS_KEY);
  const db = pools.admin;
  const mismatch = await schemaAtStart(db);
  if (mismatch?.kind === 'behind') throw new Error(mismatch.message);
  await warnAboutServer(db, (sentence) => logger.warn(sentence));
  // On a newer ledger nothing is written; every request is told why.
  if (apiKey && !mismatch) await ensureBootstrap(db, secretBox, { apiKey, webhookSecret });
  const app = await buildApp({ pools, logger }, config);

  const delay = config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_TIMEOUT_MS;
  closeWithGrace({ delay, logger }, async ({ signal, err }) => {
    if (err) logger.fatal({ err }, 'closing after an error that nothing caught');
    else logger.info({ signal }, 'closing');
    // Load balancers must have seen that this server is not ready before its port is gone.
    app.readiness.accepting = false;
    await setTimeout(config.SHUTDOWN_DELAY_MS);
    await app.close();
    await closePools(pools);
    logger.info('closed');
  });

  // The first requests should not wait for the first connection. Without Postgres they get their 503 all the same.
  await app.ready();
  const warmUp = spend(
    { remainingMs: WARM_UP_MS },
    Promise.all([app.catalog.read(), app.schemaGuard.look()]),
  );
  await warmUp.catch((error: unknown) => logger.warn({ err: error }, 'the ledger cannot be used yet'));
  await app.listen({ port: config.PORT, host: config.HOST });
  logger.info({ url: publicUrl(config) }, 'ready for requests');
}

/** A Postgres that is away at the start may be back soon; the schema is looked at then. */
async function schemaAtStart(db: Database): Promise<SchemaMismatch | undefined> {
  return findSchemaMismatch(db).catch((error: unknown) => {
    if (isDatabaseUnavailable(error)) return undefined;
    throw error;
  });
}

function secretsOf(config: Config): (string | undefined)[] {
  const { DATABASE_URL, REDIS_URL, BOOTSTRAP_API_KEY, BOOTSTRAP_WEBHOOK_SECRET, ADMIN_PASSWORD } = config;
  const keys = config.SECRETS_KEY.map((key) => key.toString('base64'));
  return [DATABASE_URL, REDIS_URL, BOOTSTRAP_API_KEY, BOOTSTRAP_WEBHOOK_SECRET, ADMIN_PASSWORD, ...keys];
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The API could not start: ${message}\n`);
  const isForGood = error instanceof ConfigError || error instanceof UnsupportedServerError;
  process.exit(isForGood ? EXIT_MISCONFIGURED : EXIT_FAILED);
});
